package system

import (
	"context"
	"fmt"
	"strings"

	"google.golang.org/protobuf/proto"

	"github.com/musterhq/muster/agent/host"
	"github.com/musterhq/muster/agent/section/plist"
	"github.com/musterhq/muster/agent/section/profiler"
	inventoryv1 "github.com/musterhq/muster/proto/muster/inventory/v1"
)

// apple is the manufacturer as the firmware of every Mac has it.
const apple = "Apple Inc."

// FromProfile returns the machine that a report of system_profiler describes.
func FromProfile(report profiler.Report) ([]proto.Message, error) {
	return profiler.First(report, "SPHardwareDataType", "the machine", func(n *profiler.Node) *inventoryv1.System {
		model := n.Text("machine_model", "Model Identifier", "Machine Model")
		if model == "" {
			return nil
		}
		return &inventoryv1.System{
			Manufacturer: apple,
			ProductName:  model,
			Family:       n.Text("machine_name", "Model Name", "Machine Name"),
			SkuNumber:    n.Text("model_number", "Model Number"),
			SerialNumber: n.Text("serial_number", "Serial Number (system)", "Serial Number"),
			Uuid:         strings.ToLower(n.Text("platform_UUID", "Hardware UUID")),
		}
	})
}

// platformExpert is the node of the I/O registry that describes a Mac.
type platformExpert struct {
	Manufacturer []byte `plist:"manufacturer"` // texts end with a zero
	Model        []byte `plist:"model"`
	Version      []byte `plist:"version"`
	ModelNumber  []byte `plist:"model-number"`
	SerialNumber string `plist:"IOPlatformSerialNumber"`
	UUID         string `plist:"IOPlatformUUID"`
}

// fromPlatformExpert describes a Mac.
func fromPlatformExpert(ctx context.Context, h *host.Host) (*inventoryv1.System, error) {
	data, err := h.Output(ctx, host.PlatformExpert)
	if err != nil {
		return nil, err
	}
	item, err := parsePlatformExpert(data)
	if guest, sysctlErr := h.SysctlNumber("kern.hv_vmm_present"); err == nil && sysctlErr == nil {
		item.IsVirtual = proto.Bool(guest == 1)
	}
	return item, err
}

func parsePlatformExpert(data []byte) (*inventoryv1.System, error) {
	var nodes []platformExpert
	if err := plist.Unmarshal(data, &nodes); err != nil {
		return nil, fmt.Errorf("platform expert: %w", err)
	}
	if len(nodes) == 0 {
		return nil, fmt.Errorf("platform expert: no node")
	}
	n := nodes[0]
	text := func(b []byte) string {
		text, _, _ := strings.Cut(string(b), "\x00")
		return strings.TrimSpace(text)
	}
	return &inventoryv1.System{
		Manufacturer: text(n.Manufacturer),
		ProductName:  text(n.Model),
		Version:      text(n.Version),
		SkuNumber:    text(n.ModelNumber),
		SerialNumber: n.SerialNumber,
		Uuid:         strings.ToLower(n.UUID),
	}, nil
}
