package operatingsystem

import (
	"regexp"
	"strconv"
	"strings"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/musterhq/muster/agent/host"
	inventoryv1 "github.com/musterhq/muster/proto/muster/inventory/v1"
)

// Registry keys of Windows.
const (
	currentVersion = `HKLM\SOFTWARE\Microsoft\Windows NT\CurrentVersion`
	cryptography   = `HKLM\SOFTWARE\Microsoft\Cryptography`
	timeZone       = `HKLM\SYSTEM\CurrentControlSet\Control\TimeZoneInformation`
	tcpip          = `HKLM\SYSTEM\CurrentControlSet\Services\Tcpip\Parameters`
	dnsPolicy      = `HKLM\SOFTWARE\Policies\Microsoft\System\DNSClient`
	international  = `HKU\.DEFAULT\Control Panel\International` // of the system, not of a person
)

// windows reads the registry of Windows. It is an error only if the key of the release cannot be
// read; the others may be missing.
func windows(h *host.Host, os *inventoryv1.OperatingSystem) error {
	release, err := h.RegistryKey(currentVersion)
	if err != nil {
		return err
	}
	windowsRelease(release, os)
	os.InstallId = strings.ToLower(text(h, cryptography, "MachineGuid"))
	os.Timezone = text(h, timeZone, "TimeZoneKeyName")
	os.Locale = text(h, international, "LocaleName")

	if names, err := h.RegistryKey(tcpip); err == nil {
		setIfEmpty(&os.Hostname, names.Text("NV Hostname"))
		domain := text(h, dnsPolicy, "NV PrimaryDnsSuffix")
		setIfEmpty(&domain, names.Text("NV Domain"))
		if domain != "" && os.Hostname != "" {
			os.Fqdn = os.Hostname + "." + domain
		}
	}
	return nil
}

func text(h *host.Host, path, name string) string {
	key, err := h.RegistryKey(path)
	if err != nil {
		return ""
	}
	return key.Text(name)
}

// windows11 is the first build of Windows 11. Its registry still has the name of Windows 10.
const windows11 = 22000

func windowsRelease(release host.RegistryKey, os *inventoryv1.OperatingSystem) {
	product := strings.TrimPrefix(release.Text("ProductName"), "Microsoft ")
	build := release.Text("CurrentBuildNumber")
	if number, err := strconv.Atoi(build); err == nil && number >= windows11 {
		if edition, found := strings.CutPrefix(product, "Windows 10"); found {
			product = "Windows 11" + edition
		}
	}
	if product != "" {
		os.Id, os.Name, os.DisplayName = "windows", withoutEdition(product), "Microsoft "+product
	}
	os.Edition = release.Text("EditionID")
	os.ProductId = release.Text("ProductId")
	os.Version = release.Text("DisplayVersion") // since Windows 10 20H2
	setIfEmpty(&os.Version, release.Text("ReleaseId"))
	setIfEmpty(&os.Version, release.Text("CSDVersion")) // the service pack, before Windows 10

	os.Build = build
	if revision, ok := release.Number("UBR"); ok && build != "" {
		os.Build = build + "." + strconv.FormatUint(revision, 10)
	}
	if kernel := kernelVersion(release); kernel != "" && os.Build != "" {
		os.Kernel = kernel + "." + os.Build
	}
	if installed := installTime(release); !installed.IsZero() {
		os.InstallDate = timestamppb.New(installed)
	}
}

var productPattern = regexp.MustCompile(`^Windows (?:Server )?(?:\d+(?:\.\d+)?(?: R2)?|XP|Vista)\b`)

// withoutEdition returns "Windows 11" for "Windows 11 Pro". A name of another form, such as
// "Hyper-V Server", is left as it is.
func withoutEdition(product string) string {
	if name := productPattern.FindString(strings.ReplaceAll(product, "®", "")); name != "" {
		return name
	}
	return product
}

// kernelVersion returns "10.0". Before Windows 10 it is one text; later that text stays "6.3".
func kernelVersion(release host.RegistryKey) string {
	major, ok1 := release.Number("CurrentMajorVersionNumber")
	minor, ok2 := release.Number("CurrentMinorVersionNumber")
	if ok1 && ok2 {
		return strconv.FormatUint(major, 10) + "." + strconv.FormatUint(minor, 10)
	}
	return release.Text("CurrentVersion")
}

// installTime is the time of the installation or of the last upgrade to another release.
func installTime(release host.RegistryKey) time.Time {
	if seconds, ok := release.Number("InstallDate"); ok && seconds > 0 {
		return time.Unix(int64(seconds), 0) //nolint:gosec // 32 bits
	}
	ticks, _ := release.Number("InstallTime")
	return host.FileTime(ticks)
}
