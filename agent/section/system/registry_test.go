package system

import (
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/testing/protocmp"

	"github.com/musterhq/muster/agent/section/hosttest"
	inventoryv1 "github.com/musterhq/muster/proto/muster/inventory/v1"
)

func TestWindowsWithoutTable(t *testing.T) {
	t.Parallel()
	h := hosttest.Windows(t, map[string]map[string]any{biosKey: {
		"SystemManufacturer": "LENOVO", "SystemProductName": "20XW", "SystemVersion": "ThinkPad X1", "SystemFamily": "ThinkPad",
		"SystemSKU": "LENOVO_MT_20XW", "BaseBoardManufacturer": "LENOVO", "BaseBoardProduct": "20XW", "BaseBoardVersion": "SDK0",
	}})
	items, err := collect(t.Context(), h)
	if err != nil {
		t.Fatal(err)
	}
	want := []proto.Message{&inventoryv1.System{
		Manufacturer: "LENOVO", ProductName: "20XW", Version: "ThinkPad X1", Family: "ThinkPad", SkuNumber: "LENOVO_MT_20XW",
		BoardManufacturer: "LENOVO", BoardProduct: "20XW", BoardVersion: "SDK0",
	}}
	if diff := gocmp.Diff(want, items, protocmp.Transform()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
