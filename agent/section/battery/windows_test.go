package battery

import (
	"encoding/binary"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/testing/protocmp"

	"github.com/musterhq/muster/agent/host"
	"github.com/musterhq/muster/agent/section/hosttest"
	inventoryv1 "github.com/musterhq/muster/proto/muster/inventory/v1"
)

func numbers(list ...uint32) []byte {
	var data []byte
	for _, n := range list {
		data = binary.LittleEndian.AppendUint32(data, n)
	}
	return data
}

// information returns a BATTERY_INFORMATION.
func information(capabilities uint32, chemistry string, designed, full, cycles uint32) []byte {
	data := append(numbers(capabilities, 1), chemistry...)
	return append(data, numbers(designed, full, 0, 0, 0, cycles)...)
}

func TestWindows(t *testing.T) {
	t.Parallel()
	const unknown = 1<<32 - 1
	h := hosttest.WindowsMachine(t, host.NewRegistryTree(), []hosttest.Call{{Call: "batteries", Value: []host.Battery{
		{ // glpi-agent's win10-dell-xps
			Instance: `ACPI\PNP0C0A\1`, Name: "DELL JHXPY53", Manufacturer: "SMP", SerialNumber: "2677",
			Information: information(0x80000000, "LiP\x00", 57532, 48807, 0), Status: numbers(1|4, 24403, 7600, 900),
		},
		{
			Instance: `ACPI\PNP0C0A\2`, Information: information(0xc0000000, "LION", 100, 80, 312), Status: numbers(2, 80, unknown, unknown),
		},
		{Instance: `ACPI\PNP0C0A\3`, Information: information(0x80000000, "PbAc", unknown, unknown, 1), Status: numbers(1, 5, 0, 0)},
		{Instance: `HID\UPS`, Information: information(0xa0000000, "PbAc", 100, 100, 0)},
		{Instance: `BTH\MOUSE`, Information: information(0, "LION", 100, 100, 0)},
		{Instance: "short", Information: []byte{1}},
	}}})
	items, err := collect(t.Context(), h)
	if err != nil {
		t.Fatal(err)
	}
	want := []proto.Message{
		&inventoryv1.Battery{
			SerialNumber: "2677", Model: "DELL JHXPY53", Manufacturer: "SMP", Chemistry: "LiP", DesignCapacityMwh: proto.Uint32(57532),
			FullCapacityMwh: proto.Uint32(48807), ChargePercent: proto.Uint32(49), State: "charging",
		},
		&inventoryv1.Battery{
			Name: `ACPI\PNP0C0A\2`, Chemistry: "LION", CycleCount: proto.Uint32(312), ChargePercent: proto.Uint32(100), State: "discharging",
		},
		&inventoryv1.Battery{Name: `ACPI\PNP0C0A\3`, Chemistry: "PbAc", CycleCount: proto.Uint32(1), State: "not charging"},
	}
	if diff := cmp.Diff(want, items, protocmp.Transform()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	none := hosttest.WindowsMachine(t, host.NewRegistryTree(), []hosttest.Call{{Call: "batteries", Value: []host.Battery{}}})
	if _, err := collect(t.Context(), none); !errors.Is(err, host.ErrUnsupported) {
		t.Errorf("without a battery: %v", err)
	}
}

func FuzzWindows(f *testing.F) {
	f.Add(information(0x80000000, "LiP\x00", 57532, 48807, 0), numbers(1, 24403, 7600, 900))
	f.Fuzz(func(t *testing.T, information, status []byte) {
		if b := ofWindows(host.Battery{Information: information, Status: status}); b != nil && b.GetChargePercent() > 100 {
			t.Errorf("%v", b)
		}
	})
}
