package storage

import (
	"context"
	"fmt"
	"strconv"

	"google.golang.org/protobuf/proto"

	"github.com/musterhq/muster/agent/host"
	"github.com/musterhq/muster/agent/section/profiler"
	inventoryv1 "github.com/musterhq/muster/proto/muster/inventory/v1"
)

// macBuses are the data types of system_profiler that list disks.
var macBuses = []struct{ dataType, bus string }{
	{"SPNVMeDataType", "nvme"},
	{"SPSerialATADataType", "sata"},
}

func collectMac(ctx context.Context, h *host.Host) ([]proto.Message, error) {
	report, err := profiler.Read(ctx, h, host.DisksProfile)
	if err != nil {
		return nil, err
	}
	return FromProfile(report)
}

// FromProfile returns the disks that a report of system_profiler describes.
func FromProfile(report profiler.Report) ([]proto.Message, error) {
	var items []proto.Message
	for _, b := range macBuses {
		for n := range report.All(b.dataType) {
			if item := fromNode(n, b.bus); item != nil {
				items = append(items, item)
			}
		}
	}
	if len(items) == 0 {
		return nil, fmt.Errorf("the report does not describe a disk: %w", host.ErrUnsupported)
	}
	return items, nil
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
