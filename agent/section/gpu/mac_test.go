package gpu

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/testing/protocmp"

	"github.com/musterhq/muster/agent/section/profiler"
	inventoryv1 "github.com/musterhq/muster/proto/muster/inventory/v1"
)

func TestFromProfile(t *testing.T) {
	t.Parallel()
	for report, want := range map[string][]proto.Message{
		`{"SPDisplaysDataType": [{"_name": "Apple M1 Pro", "sppci_model": "Apple M1 Pro", "sppci_bus": "spdisplays_builtin",
"spdisplays_vendor": "sppci_vendor_Apple", "sppci_cores": "16", "spdisplays_ndrvs": [{"_name": "Color LCD"}]}]}`: {
			&inventoryv1.Gpu{BusPath: "Apple M1 Pro", Name: "Apple M1 Pro", VendorId: "106b"},
		},
		`{"SPDisplaysDataType": [
{"_name": "kHW_IntelUHDGraphics630Item", "sppci_model": "Intel UHD Graphics 630", "sppci_bus": "spdisplays_builtin",
"spdisplays_vendor": "Intel", "spdisplays_device-id": "0x3e9b", "_spdisplays_vram": "1536 MB"},
{"_name": "kHW_AMDRadeonPro5300MItem", "sppci_model": "AMD Radeon Pro 5300M", "sppci_bus": "spdisplays_pcie_device",
"spdisplays_vendor": "sppci_vendor_amd", "spdisplays_device-id": "0x7340", "spdisplays_vram": "4 GB"}]}`: {
			&inventoryv1.Gpu{
				BusPath: "kHW_IntelUHDGraphics630Item", Name: "Intel UHD Graphics 630", VendorId: "8086", DeviceId: "3e9b",
			},
			&inventoryv1.Gpu{
				BusPath: "kHW_AMDRadeonPro5300MItem", Name: "AMD Radeon Pro 5300M", VendorId: "1002", DeviceId: "7340",
				VramBytes: proto.Uint64(4 << 30),
			},
		},
	} {
		parsed, err := profiler.Parse([]byte(report))
		if err != nil {
			t.Fatal(err)
		}
		got, err := FromProfile(parsed)
		if err != nil {
			t.Error(err)
		}
		if diff := cmp.Diff(want, got, protocmp.Transform()); diff != "" {
			t.Errorf("processors (-want +got):\n%s", diff)
		}
	}
}

func TestVendorID(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"ATI (0x1002)": "1002", "sppci_vendor_amd": "1002", "NVIDIA": "10de", "Parallels (0x1ab8)": "1ab8",
		"unknown": "", "": "", "x (0x12)": "",
	} {
		if got := vendorID(text); got != want {
			t.Errorf("%s: %s, want %s", text, got, want)
		}
	}
}
