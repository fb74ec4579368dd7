package operatingsystem

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/musterhq/muster/agent/host"
	inventoryv1 "github.com/musterhq/muster/proto/muster/inventory/v1"
)

func kernel(h *host.Host, os *inventoryv1.OperatingSystem) error {
	k, err := h.Kernel()
	os.Kernel, os.Arch = k.Release, k.Arch
	if k.Hostname != "(none)" { // the kernel's default before a name is set
		os.Hostname = k.Hostname
	}
	return err
}

// platform reads the interfaces of systems other than Linux.
func platform(h *host.Host, os *inventoryv1.OperatingSystem) error {
	p, err := h.Platform()
	setIfEmpty(&os.Name, p.Name)
	setIfEmpty(&os.Version, p.Version)
	if !p.BootTime.IsZero() {
		os.BootTime = timestamppb.New(p.BootTime)
	}
	if p.MemoryBytes > 0 {
		os.MemoryBytes = proto.Uint64(p.MemoryBytes)
	}
	if p.SwapBytes > 0 {
		os.SwapBytes = proto.Uint64(p.SwapBytes)
	}
	return err
}

// memory reads how much memory the kernel can use, which is less than is installed
// (proc_meminfo(5)).
func memory(h *host.Host, os *inventoryv1.OperatingSystem) error {
	text, err := readText(h, "/proc/meminfo")
	if err != nil {
		return err
	}
	if total, ok := kibibytes(text, "MemTotal:"); ok {
		os.MemoryBytes = proto.Uint64(total)
	}
	if swap, ok := kibibytes(text, "SwapTotal:"); ok {
		os.SwapBytes = proto.Uint64(swap)
	}
	return nil
}

// kibibytes finds the line "MemTotal:  1888980 kB" and returns its value in bytes.
func kibibytes(text, label string) (uint64, bool) {
	for line := range strings.Lines(text) {
		value, found := strings.CutPrefix(line, label)
		if !found {
			continue
		}
		value, found = strings.CutSuffix(strings.TrimSpace(value), " kB")
		n, err := strconv.ParseUint(value, 10, 54)
		return n * 1024, found && err == nil
	}
	return 0, false
}

func bootTime(h *host.Host, os *inventoryv1.OperatingSystem) error {
	text, err := readText(h, "/proc/stat")
	if err != nil {
		return err
	}
	seconds, ok := bootSeconds(text)
	if !ok {
		return fmt.Errorf("read /proc/stat: no boot time")
	}
	os.BootTime = &timestamppb.Timestamp{Seconds: seconds}
	return nil
}

// bootSeconds finds the line "btime 1700000000" (proc_stat(5)).
func bootSeconds(text string) (int64, bool) {
	for line := range strings.Lines(text) {
		if value, found := strings.CutPrefix(line, "btime "); found {
			n, err := strconv.ParseInt(strings.TrimSpace(value), 10, 64)
			return n, err == nil && n > 0
		}
	}
	return 0, false
}

// reboot reports that an update needs a restart, which packages of Debian, Ubuntu and SUSE leave as
// a file until then, and Windows as a registry key. Its absence proves nothing.
func reboot(h *host.Host, os *inventoryv1.OperatingSystem) error {
	for _, name := range []string{"/run/reboot-required", "/run/reboot-needed"} {
		if _, err := h.Stat(name); err == nil {
			os.RebootRequired = proto.Bool(true)
		}
	}
	for _, path := range pendingRestarts {
		if _, err := h.RegistryKey(path); err == nil {
			os.RebootRequired = proto.Bool(true)
		}
	}
	return nil
}

// pendingRestarts are keys that Windows has until a restart has completed an update.
var pendingRestarts = []string{
	`HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\Component Based Servicing\RebootPending`,
	`HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\WindowsUpdate\Auto Update\RebootRequired`,
}

// installDate is the creation time of the root directory, which is that of the file system or, in a
// container, of its layer. A machine made from an image has the image's date. File systems that do
// not record it return none, or a date before Linux existed.
func installDate(h *host.Host, os *inventoryv1.OperatingSystem) error {
	born, err := h.BirthTime("/")
	if err != nil {
		return err
	}
	if born.After(beforeLinux) {
		os.InstallDate = timestamppb.New(born.Truncate(time.Second))
	}
	return nil
}

// beforeLinux is the release date of the first Linux.
var beforeLinux = time.Date(1991, time.September, 17, 0, 0, 0, 0, time.UTC)
