// Package security collects the section "security_posture": which protections the machine has and
// whether they are on. It reads the kernel's and the programs' own files, and on macOS asks the
// system's own commands. It never changes a setting, and a protection whose state it cannot know
// has none. Start reading at controls.
package security

import (
	"context"
	"errors"
	"fmt"
	"io/fs"

	"google.golang.org/protobuf/proto"

	"github.com/musterhq/muster/agent/host"
	"github.com/musterhq/muster/agent/section"
	inventoryv1 "github.com/musterhq/muster/proto/muster/inventory/v1"
)

// Collector returns the collector of the section security_posture.
func Collector() section.Collector {
	return section.Collector{Name: "security_posture", Collect: collect}
}

// controls are in the order of the items.
var controls = []func(ctx context.Context, s *survey){
	secureBoot, tpm, diskEncryption, firewalls, selinux, appArmor, lockdown, antivirus, remoteLogin, automaticUpdates,
}

// survey is one collection.
type survey struct {
	host  *host.Host
	items []proto.Message
	errs  []error
}

func collect(ctx context.Context, h *host.Host) ([]proto.Message, error) {
	all := controls
	if h.IsWindows() {
		return collectWindows(ctx, h)
	}
	if h.IsMac() {
		all = macControls
	} else if err := h.RequireLinux(); err != nil {
		return nil, err
	}
	s := &survey{host: h}
	for _, control := range all {
		control(ctx, s)
	}
	if len(s.items) == 0 && len(s.errs) == 0 {
		return nil, fmt.Errorf("%w: no file describes a protection", host.ErrUnsupported)
	}
	return s.items, errors.Join(s.errs...)
}

// add adds a protection that is on or off.
func (s *survey) add(item *inventoryv1.SecurityPosture, on bool) {
	if item.State == "" {
		item.State = "off"
		if on {
			item.State = "on"
		}
	}
	item.Enabled = &on
	s.items = append(s.items, item)
}

// unknown adds a protection that is installed, and of which it is not known whether it is on.
func (s *survey) unknown(item *inventoryv1.SecurityPosture, state string) {
	item.State = state
	s.items = append(s.items, item)
}

func (s *survey) exists(name string) bool {
	_, err := s.host.Stat(name)
	return err == nil
}

// maxConfiguration bounds a configuration file, in bytes.
const maxConfiguration = 1 << 20

// read returns "" if the file does not exist.
func (s *survey) read(name string) string {
	text, err := s.host.ReadFile(name, maxConfiguration)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		s.errs = append(s.errs, err)
	}
	return string(text)
}

// startDirectories contain links to the units and scripts that start at boot: of systemd, which
// also has sockets and timers, and of OpenRC.
var startDirectories = []string{
	"/etc/systemd/system/multi-user.target.wants/", "/etc/systemd/system/sysinit.target.wants/",
	"/etc/systemd/system/sockets.target.wants/", "/etc/systemd/system/timers.target.wants/",
	"/etc/systemd/system/basic.target.wants/", "/etc/systemd/system/network-pre.target.wants/",
	"/etc/runlevels/default/", "/etc/runlevels/boot/",
}

// starts reports whether a unit or script starts at boot.
func (s *survey) starts(names ...string) bool {
	for _, name := range names {
		for _, directory := range startDirectories {
			if _, err := s.host.Readlink(directory + name); err == nil {
				return true
			}
		}
	}
	return false
}

// serviceSlices are the control groups of systemd's services, in version 2 and in version 1.
var serviceSlices = []string{"/sys/fs/cgroup/system.slice/", "/sys/fs/cgroup/systemd/system.slice/"}

// runs reports whether one of the services has processes, or nil if that is not known. systemd
// deletes the control group of a service that ends.
func (s *survey) runs(names ...string) *bool {
	for _, slice := range serviceSlices {
		if !s.exists(slice) {
			continue
		}
		for _, name := range names {
			if s.exists(slice + name) {
				return proto.Bool(true)
			}
		}
		return proto.Bool(false)
	}
	return nil
}
