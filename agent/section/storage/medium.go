package storage

import (
	"strings"

	inventoryv1 "github.com/musterhq/muster/proto/muster/inventory/v1"
)

// buses are the path elements that identify a bus, those nearer to the disk first: a USB disk is
// also a SCSI disk on a PCI bus.
var buses = []struct{ mark, bus string }{
	{"/usb", "usb"}, {"/nvme", "nvme"}, {"/mmc", "mmc"}, {"/ata", "sata"}, {"/session", "iscsi"}, {"/rport-", "fc"},
	{"/end_device-", "sas"}, {"/vbd-", "xen"}, {"/virtio", "virtio"}, {"/VMBUS", "hyperv"}, {"/vmbus", "hyperv"},
	{"/target", "scsi"},
}

// bus returns the disk's bus, from its path in the device tree.
func (s source) bus() string {
	for _, b := range buses {
		if !strings.Contains(s.device, b.mark) {
			continue
		}
		switch {
		case b.bus == "sas" && s.attribute("device/vendor") == "ATA": // a SATA disk on a SAS controller
			return "sata"
		case b.bus == "sata" && s.parallelATA():
			return "ata"
		}
		return b.bus
	}
	return ""
}

// parallelATA checks the speed of the link, which the kernel knows only for a serial link.
func (s source) parallelATA() bool {
	before, after, _ := strings.Cut(s.device, "/ata")
	port, _, _ := strings.Cut(after, "/")
	speed := s.host.Attribute(before + "/ata" + port + "/link" + port + "/ata_link/link" + port + "/sata_spd_limit")
	return speed == "<unknown>"
}

// mediaType returns the type of the medium. The kernel reports a disk as rotational unless it knows
// better. That is used only if the disk could report otherwise: not for virtual disks and not
// behind USB.
func (s source) mediaType(disk *inventoryv1.Storage, optical bool) string {
	rotational := s.attribute("queue/rotational")
	switch {
	case optical:
		return "optical"
	case disk.Bus == "nvme":
		return "ssd"
	case disk.Bus == "mmc":
		return "flash"
	case virtual(disk):
		return ""
	case rotational == "0":
		return "ssd"
	case rotational == "1" && (disk.Bus != "usb" || s.spins()):
		return "hdd"
	default:
		return ""
	}
}

// spins reports whether udev has read a rotation rate from a disk behind a USB bridge.
func (s source) spins() bool {
	rate := s.udev["ID_ATA_ROTATION_RATE_RPM"]
	return rate != "" && rate != "0"
}

// virtual reports whether a hypervisor provides the disk. Its attributes do not describe the medium
// below.
func virtual(disk *inventoryv1.Storage) bool {
	switch disk.Bus {
	case "virtio", "xen", "hyperv":
		return true
	}
	for _, maker := range []string{"QEMU", "VBOX", "VMware", "Msft", "Virtual", "Google", "Xen"} {
		if strings.HasPrefix(disk.Vendor, maker) || strings.HasPrefix(disk.Model, maker) {
			return true
		}
	}
	return false
}
