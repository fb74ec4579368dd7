package usb

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/testing/protocmp"

	"github.com/musterhq/muster/agent/section/hosttest"
	"github.com/musterhq/muster/agent/section/ioregistry"
	inventoryv1 "github.com/musterhq/muster/proto/muster/inventory/v1"
)

func TestOfRegistry(t *testing.T) {
	t.Parallel()
	got := ofRegistry([]ioregistry.Node{
		{"locationID": uint64(0x14000000), "idVendor": uint64(0x5ac), "USB Product Name": "Root Hub Simulation"},
		{
			"locationID": uint64(0x14320000), "idVendor": uint64(0x5ac), "idProduct": uint64(0x821a), "bcdDevice": uint64(0x0150),
			"kUSBSerialNumberString": "", "USB Serial Number": "7CD1C3", "kUSBProductString": "Bluetooth USB Host Controller",
			"bDeviceClass": uint64(255), "Device Speed": uint64(1), "non-removable": "yes",
			"IORegistryEntryChildren": []any{
				map[string]any{"bInterfaceClass": uint64(224)}, map[string]any{"bInterfaceClass": uint64(3)},
				map[string]any{"bInterfaceClass": uint64(224)}, map[string]any{"IORegistryEntryName": "driver"},
			},
		},
		{"locationID": uint64(0x01100000), "idVendor": uint64(0x90c), "non-removable": "no", "Device Speed": uint64(9)},
		{"idVendor": uint64(1)},
	})
	want := []proto.Message{
		&inventoryv1.UsbDevice{
			BusPath: "20-3.2", VendorId: "05ac", ProductId: "821a", SerialNumber: "7CD1C3", Name: "Bluetooth USB Host Controller",
			Class: "ff", Revision: "0150", InterfaceClasses: []string{"03", "e0"}, Removable: proto.Bool(false),
			SpeedMbps: proto.Uint32(12),
		},
		&inventoryv1.UsbDevice{BusPath: "1-1", VendorId: "090c", Removable: proto.Bool(true)},
	}
	if diff := cmp.Diff(want, got, protocmp.Transform()); diff != "" {
		t.Errorf("devices (-want +got):\n%s", diff)
	}
}

// TestRegistryOfMacs compares with what another agent finds in the same registries.
func TestRegistryOfMacs(t *testing.T) {
	t.Parallel()
	corpus := hosttest.Corpus(t, "glpi-agent")
	data, err := os.ReadFile(filepath.Join(corpus, "expected", "macos-usb.json"))
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		Tests map[string]struct {
			Files    []string
			Expected []map[string]any
		}
	}
	if err := json.Unmarshal(data, &file); err != nil {
		t.Fatal(err)
	}
	for name, c := range file.Tests {
		var nodes []ioregistry.Node
		for _, object := range hosttest.IORegistry(t, filepath.Join(corpus, c.Files[0]), "IOUSBDevice") {
			nodes = append(nodes, object)
		}
		var got, want []string
		for _, message := range ofRegistry(nodes) {
			d := message.(*inventoryv1.UsbDevice)
			got = append(got, fmt.Sprint(d.VendorId, d.ProductId, d.SerialNumber, d.Name, d.Class))
		}
		for _, d := range c.Expected {
			text := func(key string) string { value, _ := d[key].(string); return value }
			number := func(key string, base, digits int) string {
				value, _ := strconv.ParseUint(text(key), base, 16)
				return fmt.Sprintf("%0*x", digits, value)
			}
			want = append(want, fmt.Sprint(number("VENDORID", 0, 4), number("PRODUCTID", 0, 4), text("SERIAL"), text("NAME"),
				number("CLASS", 10, 2)))
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}
