package storage

import (
	"path"
	"strconv"
	"strings"

	"google.golang.org/protobuf/proto"

	"github.com/musterhq/muster/agent/host"
	inventoryv1 "github.com/musterhq/muster/proto/muster/inventory/v1"
)

// sectorSize is the unit of sizes in /sys/block, in bytes, independent of the disk's sector size
// (Linux ABI/stable/sysfs-block).
const sectorSize = 512

// source is one disk and the paths of its attributes.
type source struct {
	host   *host.Host
	sys    string // its directory in /sys/block, with a trailing slash
	device string // its path in the device tree, e.g. "/sys/devices/pci0000:00/…/ata1/…/block/sda"
	udev   map[string]string
}

// found is a disk with the path in the device tree by which Linux reaches it.
type found struct {
	*inventoryv1.Storage
	device string
}

// read describes a disk. The second result is false if the block device is not a disk.
func read(h *host.Host, kernelName string) (found, bool) {
	s := source{host: h, sys: sysBlock + kernelName + "/"}
	target, err := h.Readlink(sysBlock + kernelName)
	if err != nil {
		return found{}, false
	}
	s.device = path.Join(sysBlock, target)
	if noDisk(kernelName, s.device) || s.attribute("hidden") == "1" {
		return found{}, false
	}
	s.udev = s.udevProperties()

	disk := &inventoryv1.Storage{Device: kernelName, Bus: s.bus()}
	disk.Removable = flag(s.attribute("removable"))
	optical := s.optical()
	sectors, err := strconv.ParseUint(s.attribute("size"), 10, 54)
	switch {
	case optical: // the size is that of the inserted disc
	case sectors == 0 && disk.GetRemovable(): // a card reader without a card
		return found{}, false
	case err == nil && sectors > 0:
		disk.SizeBytes = proto.Uint64(sectors * sectorSize)
	}
	s.identify(disk)
	disk.MediaType = s.mediaType(disk, optical)
	return found{Storage: disk, device: s.device}, true
}

// noDisk recognizes block devices that the kernel makes from files, memory, networks and other
// disks, and the parts of an eMMC chip that only its controller uses. Native NVMe multipath disks
// are disks: they are virtual devices, but not virtual block devices.
func noDisk(kernelName, device string) bool {
	if strings.HasPrefix(device, "/sys/devices/virtual/block/") {
		return true
	}
	for _, prefix := range []string{"loop", "ram", "zram", "dm-", "md", "nbd", "rbd", "fd", "mtdblock", "ubiblock"} {
		if number, ok := strings.CutPrefix(kernelName, prefix); ok && number != "" && number[0] <= '9' {
			return true
		}
	}
	return strings.HasPrefix(kernelName, "mmcblk") &&
		(strings.Contains(kernelName, "boot") || strings.Contains(kernelName, "rpmb"))
}

func (s source) attribute(name string) string { return s.host.Attribute(s.sys + name) }

func flag(text string) *bool {
	switch text {
	case "0":
		return proto.Bool(false)
	case "1":
		return proto.Bool(true)
	default:
		return nil
	}
}

// optical checks SCSI's peripheral device type 5 (SPC-6 table 151), or the device's name, which
// depends on the driver.
func (s source) optical() bool {
	kernelName := path.Base(s.device)
	return s.attribute("device/type") == "5" || strings.HasPrefix(kernelName, "sr")
}
