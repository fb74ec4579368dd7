package firmware

import (
	"context"
	"fmt"

	"google.golang.org/protobuf/proto"

	"github.com/musterhq/muster/agent/host"
	"github.com/musterhq/muster/agent/section/profiler"
	inventoryv1 "github.com/musterhq/muster/proto/muster/inventory/v1"
)

func collectMac(ctx context.Context, h *host.Host) ([]proto.Message, error) {
	report, err := profiler.Read(ctx, h, host.HardwareProfile)
	if err != nil {
		return nil, err
	}
	return FromProfile(report)
}

// FromProfile returns the firmware that a report of system_profiler describes.
func FromProfile(report profiler.Report) ([]proto.Message, error) {
	for n := range report.All("SPHardwareDataType") {
		version := n.Text("boot_rom_version", "System Firmware Version", "Boot ROM Version")
		if version != "" {
			return []proto.Message{&inventoryv1.Firmware{Vendor: "Apple Inc.", Version: version}}, nil
		}
	}
	return nil, fmt.Errorf("the report does not describe the firmware: %w", host.ErrUnsupported)
}
