package importer

import (
	"strings"

	"google.golang.org/protobuf/types/known/timestamppb"

	inventoryv1 "github.com/musterhq/muster/proto/muster/inventory/v1"
)

// operatingSystem needs a file that names it: what a partial inventory says of the hardware alone would put a poorer
// item in the place of the whole one.
func (m *machine) operatingSystem() []entry {
	os, hardware := m.single("operatingsystem"), m.single("hardware")
	item := &inventoryv1.OperatingSystem{}
	switch {
	case os != nil:
		m.osOfSection(item, os)
	case hardware.get("osname") != "":
		osOfHardware(item, hardware)
		os = hardware
	default:
		return nil
	}
	item.Hostname = hardware.get("name")
	if hardware != nil {
		item.MemoryBytes = m.size(hardware, "memory", mebibyte)
		item.SwapBytes = m.size(hardware, "swap", mebibyte)
	}
	return []entry{{item, os}}
}

func (m *machine) osOfSection(item *inventoryv1.OperatingSystem, os *node) {
	item.Name = os.get("name")
	item.Version = os.get("version")
	item.DisplayName = os.get("full_name")
	item.Kernel = os.get("kernel_version")
	item.Arch = os.get("arch")
	if fqdn := os.get("fqdn"); strings.Contains(fqdn, ".") { // a bare name is the host's
		item.Fqdn = fqdn
	}
	zone := os.child("timezone")
	item.Timezone = zone.get("name")
	if text := os.get("install_date"); text != "" {
		if at, ok := day(text); ok {
			item.InstallDate = timestamppb.New(at)
		} else {
			m.warnf(os, "the date of installation %q cannot be read: it is left out", text)
		}
	}
	if text := os.get("boot_time"); text != "" {
		if at, ok := moment(text, zone.get("offset")); ok {
			item.BootTime = timestamppb.New(at)
		} else {
			m.warnf(os, "the time of boot %q is left out: it is none, or its time zone is not said", text)
		}
	}
}

// osOfHardware reads what OCS says. Agents from before FusionInventory 2.3 have the kernel where others have the
// version.
func osOfHardware(item *inventoryv1.OperatingSystem, hardware *node) {
	item.Name = hardware.get("osname")
	item.DisplayName = item.Name
	item.Arch = hardware.get("arch")
	if version := hardware.get("osversion"); isKernel(version) {
		item.Kernel = version
	} else {
		item.Version = version
	}
}

// isKernel tells the release of a Linux kernel, "4.11.3-200.fc25.x86_64", from the version of a system.
func isKernel(version string) bool {
	before, _, found := strings.Cut(version, "-")
	return found && strings.Count(before, ".") >= 2 && strings.Trim(before, "0123456789.") == ""
}
