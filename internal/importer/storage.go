package importer

import (
	"strings"

	"google.golang.org/protobuf/proto"

	inventoryv1 "github.com/musterhq/muster/proto/muster/inventory/v1"
)

func (m *machine) storages() []entry {
	var items []entry
	for _, n := range m.entries("storages") {
		if isMemory(n.get("name")) {
			m.warnf(n, "%s is ignored: it is memory or a file, not a disk", n.get("name"))
			continue
		}
		item := &inventoryv1.Storage{
			SerialNumber:     n.get("serial"),
			Wwn:              worldWideName(n.get("wwn")),
			Model:            n.get("model"),
			Vendor:           n.get("manufacturer"),
			FirmwareRevision: n.get("firmware"),
			SizeBytes:        m.size(n, "disksize", megabyte),
			Bus:              bus(n.get("interface"), n.get("description")),
			Device:           n.get("name"),
		}
		item.MediaType, item.Removable = medium(n.get("type"))
		if item.SerialNumber == "" && item.Wwn == "" {
			item.Path = item.Device
		}
		items = append(items, entry{item, n})
	}
	return items
}

// isMemory recognizes the block devices of Linux that are not backed by a disk.
func isMemory(device string) bool {
	for _, prefix := range []string{"zram", "loop", "ram"} {
		if number, found := strings.CutPrefix(device, prefix); found && allDigits(number) {
			return true
		}
	}
	return false
}

// buses maps the agents' names, in lower case, to ours. "PCI" is missing: it does not imply a
// protocol.
var buses = map[string]string{
	"sata": "sata", "serial-ata": "sata", "ide": "ata", "ata": "ata", "pata": "ata", "scsi": "scsi", "sas": "sas",
	"usb": "usb", "nvme": "nvme", "fc": "fc", "iscsi": "iscsi", "mmc": "mmc", "virtio": "virtio",
}

func bus(texts ...string) string {
	for _, text := range texts {
		if bus := buses[strings.ToLower(text)]; bus != "" {
			return bus
		}
	}
	return ""
}

// medium reads the type of a drive. Windows and Linux use different words.
func medium(text string) (mediaType string, removable *bool) {
	switch lower := strings.ToLower(text); {
	case lower == "ssd", lower == "hdd":
		return lower, nil
	case strings.HasPrefix(lower, "cd"), strings.HasPrefix(lower, "dvd"), strings.HasPrefix(lower, "bd-"):
		return "optical", proto.Bool(true)
	case strings.HasPrefix(lower, "removable"):
		return "", proto.Bool(true)
	case strings.HasPrefix(lower, "fixed"):
		return "", proto.Bool(false)
	default:
		return "", nil
	}
}

// worldWideName returns lower-case digits without the format prefix that some systems write.
func worldWideName(text string) string {
	text = strings.ToLower(text)
	for _, prefix := range []string{"naa.", "eui.", "0x"} {
		text = strings.TrimPrefix(text, prefix)
	}
	return strings.ReplaceAll(strings.ReplaceAll(text, " ", ""), ":", "")
}
