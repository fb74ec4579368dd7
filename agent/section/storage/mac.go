package storage

import (
	"strconv"

	"google.golang.org/protobuf/proto"

	"github.com/musterhq/muster/agent/section/profiler"
	inventoryv1 "github.com/musterhq/muster/proto/muster/inventory/v1"
)

// macBuses are the data types of system_profiler that list disks.
var macBuses = []struct{ dataType, bus string }{
	{"SPNVMeDataType", "nvme"},
	{"SPSerialATADataType", "sata"},
}

// FromProfile returns the disks that a report of system_profiler describes.
func FromProfile(report profiler.Report) ([]proto.Message, error) {
	var items []*inventoryv1.Storage
	for _, b := range macBuses {
		items = append(items, profiler.Items(report, b.dataType, func(n *profiler.Node) *inventoryv1.Storage {
			return fromNode(n, b.bus)
		})...)
	}
	return profiler.Found(items, "a disk")
}

// fromNode returns nil for a controller, and for a drive that nothing distinguishes from another.
func fromNode(n *profiler.Node, bus string) *inventoryv1.Storage {
	model := n.Text("device_model", "Model")
	if model == "" {
		return nil
	}
	item := &inventoryv1.Storage{
		SerialNumber:     n.Text("device_serial", "Serial Number"),
		Model:            model,
		FirmwareRevision: n.Text("device_revision", "Revision"),
		Bus:              bus,
		Device:           n.Text("bsd_name", "BSD Name"),
	}
	if item.SerialNumber == "" {
		item.Path = item.Device
	}
	if item.SerialNumber == "" && item.Path == "" {
		return nil
	}
	if size, err := strconv.ParseUint(n.Text("size_in_bytes"), 10, 64); err == nil {
		item.SizeBytes = proto.Uint64(size)
	}
	switch n.Text("spsata_medium_type", "Medium Type") {
	case "Solid State":
		item.MediaType = "ssd"
	case "Rotational":
		item.MediaType = "hdd"
	default:
		if bus == "nvme" {
			item.MediaType = "ssd"
		}
	}
	switch n.Text("detachable_drive", "Detachable Drive", "removable_media", "Removable Media") {
	case "yes", "Yes":
		item.Removable = proto.Bool(true)
	case "no", "No":
		item.Removable = proto.Bool(false)
	}
	return item
}
