package storage

import (
	"cmp"
	"path"
	"slices"
	"strings"
)

// name ensures that no two disks have the same key. A disk that is reached by several paths
// (multipath) is one disk. Different disks with the same identifiers get their kernel names as part
// of the key, except for the first.
func name(disks []found) []found {
	slices.SortFunc(disks, func(a, b found) int {
		return cmp.Or(len(a.Device)-len(b.Device), cmp.Compare(a.Device, b.Device)) // sdz before sdaa
	})
	taken := map[[2]string]bool{}
	kept := disks[:0]
	for _, disk := range disks {
		if slices.ContainsFunc(kept, disk.sameDisk) {
			continue
		}
		identity := [2]string{disk.SerialNumber, disk.Wwn}
		if identity == [2]string{} || taken[identity] {
			disk.Path = disk.Device
		}
		taken[identity] = true
		kept = append(kept, disk)
	}
	return kept
}

// sameDisk reports whether two block devices are two paths to one disk: if the system has several
// paths to one disk, and their world wide names are equal and nothing contradicts, or if they are
// the same unit of a transport that is made for several paths. Serial numbers alone prove nothing:
// cheap disks have them in common, and the units of an array or the namespaces of a controller
// share one.
func (d found) sameDisk(other found) bool {
	switch {
	case d.onePath() || other.onePath(), d.Bus != other.Bus, d.Model != other.Model:
		return false
	case contradict(d.SerialNumber, other.SerialNumber), contradict(d.Wwn, other.Wwn):
		return false
	case d.SizeBytes != nil && other.SizeBytes != nil && d.GetSizeBytes() != other.GetSizeBytes():
		return false
	case d.Wwn != "" && d.Wwn == other.Wwn:
		return true
	default:
		return d.multipath() && other.multipath() && d.SerialNumber != "" && d.SerialNumber == other.SerialNumber &&
			d.unit() == other.unit()
	}
}

func contradict(a, b string) bool { return a != "" && b != "" && a != b }

// onePath reports whether the system can reach the disk by one path only: the disk is on a port, in
// a slot or in an enclosure of its own, or Windows lists it, which combines the paths itself.
func (d found) onePath() bool {
	return d.device == "" || slices.Contains([]string{"usb", "mmc", "ata"}, d.Bus) || strings.Contains(d.device, "/ata")
}

// multipath reports whether the transport is made for several paths to one disk.
func (d found) multipath() bool {
	return slices.Contains([]string{"fc", "sas", "iscsi"}, d.Bus) || strings.Contains(d.device, "/nvme-fabrics/")
}

// unit returns the number of the unit at its target: the last part of the SCSI address 0:0:0:1, or
// the namespace in nvme0n1.
func (d found) unit() string {
	if d.Bus == "nvme" {
		return d.Device[strings.LastIndexByte(d.Device, 'n')+1:]
	}
	for device := d.device; device != "/" && device != "."; device = path.Dir(device) {
		if address := path.Base(device); strings.Count(address, ":") == 3 {
			return address[strings.LastIndexByte(address, ':')+1:]
		}
	}
	return ""
}
