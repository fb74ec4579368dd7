package storage

import (
	"strings"

	inventoryv1 "github.com/musterhq/muster/proto/muster/inventory/v1"
)

// buses are the marks that a bus leaves in the path of its devices, those nearer to the disk first: a USB disk
// is a SCSI disk on a PCI bus too.
var buses = []struct{ mark, bus string }{
	{"/usb", "usb"}, {"/nvme", "nvme"}, {"/mmc", "mmc"}, {"/ata", "sata"}, {"/session", "iscsi"}, {"/rport-", "fc"},
	{"/end_device-", "sas"}, {"/vbd-", "xen"}, {"/virtio", "virtio"}, {"/VMBUS", "hyperv"}, {"/vmbus", "hyperv"},
	{"/target", "scsi"},
}

// bus tells how the disk is plugged in, by its place in the tree of devices.
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

// parallelATA asks for the speed of the link, which a serial one has and a parallel one does not know.
func (s source) parallelATA() bool {
	before, after, _ := strings.Cut(s.device, "/ata")
	port, _, _ := strings.Cut(after, "/")
	speed := s.host.Attribute(before + "/ata" + port + "/link" + port + "/ata_link/link" + port + "/sata_spd_limit")
	return speed == "<unknown>"
}

// mediaType tells what the data is on. The kernel calls a disk rotational unless it knows better, so that word
// counts only where the disk itself could have said otherwise: not on virtual disks, and not behind USB.
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

// spins reports whether udev has read a rotation rate from the disk behind a USB bridge.
func (s source) spins() bool {
	rate := s.udev["ID_ATA_ROTATION_RATE_RPM"]
	return rate != "" && rate != "0"
}

// virtual reports whether a hypervisor made the disk: its speed tells nothing of the medium below.
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
