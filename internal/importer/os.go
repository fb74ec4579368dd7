package importer

import (
	"strings"

	"google.golang.org/protobuf/types/known/timestamppb"

	inventoryv1 "github.com/musterhq/muster/proto/muster/inventory/v1"
)

// operatingSystem returns nothing if the file does not name the system: a partial inventory with
// hardware alone would replace a complete item by a poorer one.
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
	if fqdn := os.get("fqdn"); strings.Contains(fqdn, ".") { // without a dot it is the host name
		item.Fqdn = fqdn
	}
	zone := os.child("timezone")
	item.Timezone = zone.get("name")
	if text := os.get("install_date"); text != "" {
		if at, ok := day(text); ok {
			item.InstallDate = timestamppb.New(at)
		} else {
			m.warnf(os, "the installation date %q is not a date; it is ignored", text)
		}
	}
	if text := os.get("boot_time"); text != "" {
		if at, ok := timestamp(text, zone.get("offset")); ok {
			item.BootTime = timestamppb.New(at)
		} else {
			m.warnf(os, "the boot time %q is not a time, or has no time zone; it is ignored", text)
		}
	}
}

// osOfHardware reads the fields of OCS. Agents before FusionInventory 2.3 write the kernel into the
// field for the version.
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

// isKernel distinguishes the release of a Linux kernel, "4.11.3-200.fc25.x86_64", from the version
// of an operating system.
func isKernel(version string) bool {
	before, _, found := strings.Cut(version, "-")
	return found && strings.Count(before, ".") >= 2 && strings.Trim(before, "0123456789.") == ""
}
