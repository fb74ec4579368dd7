package link

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"

	inventoryv1 "github.com/musterhq/muster/proto/muster/inventory/v1"
)

func desktop() []proto.Message {
	return []proto.Message{
		&inventoryv1.System{SerialNumber: "S1", Uuid: "4c4c4544-0033-3510-8052-b4c04f4a4d31", BoardSerial: "B1"},
		&inventoryv1.NetworkInterface{Name: "eth0", Mac: "3c:52:82:11:22:33"},
		&inventoryv1.NetworkInterface{Name: "wlan0", Mac: "da:a1:19:00:00:01", PermanentMac: "3c:52:82:44:55:66"},
		&inventoryv1.Storage{SerialNumber: "D1", Bus: "nvme"},
		&inventoryv1.Software{Name: "bash"},
	}
}

func families(items []proto.Message) map[string]uint64 {
	hashes := map[string]uint64{}
	for _, h := range Hardware(items) {
		hashes[h.GetFamily()] = h.GetHash()
	}
	return hashes
}

func TestHardwareDistinguishesMachines(t *testing.T) {
	t.Parallel()
	was := families(desktop())
	if len(was) != 4 {
		t.Fatalf("got families %v, want four", was)
	}
	cases := map[string]struct {
		change func(items []proto.Message) []proto.Message
		differ []string
	}{
		"another order": {func(items []proto.Message) []proto.Message {
			slices.Reverse(items)
			return items
		}, nil},
		"another disk": {func(items []proto.Message) []proto.Message {
			items[3].(*inventoryv1.Storage).SerialNumber = "D2"
			return items
		}, []string{"disk"}},
		"a random Wi-Fi address": {func(items []proto.Message) []proto.Message {
			items[2].(*inventoryv1.NetworkInterface).Mac = "de:ad:be:ef:00:01"
			return items
		}, nil},
		"a bridge and a stick": {func(items []proto.Message) []proto.Message {
			return append(items, &inventoryv1.NetworkInterface{Name: "br0", Mac: "3c:52:82:77:77:77", IsVirtual: proto.Bool(true)},
				&inventoryv1.NetworkInterface{Name: "veth0", Mac: "26:11:22:33:44:55"},
				&inventoryv1.Storage{SerialNumber: "USB1", Bus: "usb"}, &inventoryv1.Storage{SerialNumber: "SD1", Removable: proto.Bool(true)})
		}, nil},
		"another machine": {func(items []proto.Message) []proto.Message {
			items[0] = &inventoryv1.System{SerialNumber: "S2", Uuid: "x", BoardSerial: "B2"}
			return items
		}, []string{"board", "smbios"}},
	}
	for name, c := range cases {
		var differ []string
		for family, hash := range families(c.change(desktop())) {
			if hash != was[family] {
				differ = append(differ, family)
			}
		}
		slices.Sort(differ)
		if diff := cmp.Diff(c.differ, differ); diff != "" {
			t.Errorf("%s: families that differ (-want +got):\n%s", name, diff)
		}
	}
}

func TestHardwareLeavesOutPlaceholders(t *testing.T) {
	t.Parallel()
	got := Hardware([]proto.Message{
		&inventoryv1.System{SerialNumber: "To Be Filled By O.E.M.", Uuid: "00000000-0000-0000-0000-000000000000", BoardSerial: " Default string "},
		&inventoryv1.NetworkInterface{Name: "lo", Mac: "00:00:00:00:00:00"},
		&inventoryv1.Storage{Path: "/dev/vda"},
	})
	if len(got) > 0 {
		t.Errorf("got %v, want nothing", got)
	}
}
