package firmware

import (
	"google.golang.org/protobuf/proto"

	"github.com/musterhq/muster/agent/section/profiler"
	inventoryv1 "github.com/musterhq/muster/proto/muster/inventory/v1"
)

// FromProfile returns the firmware that a report of system_profiler describes.
func FromProfile(report profiler.Report) ([]proto.Message, error) {
	secure := secureBoot(report)
	return profiler.First(report, "SPHardwareDataType", "the firmware", func(n *profiler.Node) *inventoryv1.Firmware {
		version := n.Text("boot_rom_version", "System Firmware Version", "Boot ROM Version")
		if version == "" {
			return nil
		}
		return &inventoryv1.Firmware{Vendor: "Apple Inc.", Version: version, SecureBoot: secure}
	})
}

// secureBoot reports whether the firmware starts only systems that Apple has signed, or nil if that
// is not known: the report is in the language of the system, and Macs without a security chip are
// not asked.
func secureBoot(report profiler.Report) *bool {
	for n := range report.All("SPiBridgeDataType") {
		switch n.Text("ibridge_secure_boot", "Secure Boot") {
		case "Full Security", "Reduced Security", "Medium Security":
			return proto.Bool(true)
		case "Permissive Security", "No Security":
			return proto.Bool(false)
		}
	}
	return nil
}
