package catalog

import "testing"

func TestDeviceNames(t *testing.T) {
	t.Parallel()
	names := DeviceNames{
		Vendors: map[string]string{"8086": "Intel Corporation", "0bda": `Maker "R"`},
		Devices: map[string]string{"8086:a7a0": "Raptor Lake-P", "0bda:8153": "Ethernet Adapter"},
	}
	for _, test := range []struct{ facts, field, want string }{
		{
			`{"address":"0000:00:02.0","vendor_id":"8086","device_id":"a7a0"}`, "device_id",
			`{"vendor_name":"Intel Corporation","device_name":"Raptor Lake-P"}`,
		},
		{`{"vendor_id":"8086","device_id":"ffff"}`, "device_id", `{"vendor_name":"Intel Corporation"}`},
		{
			`{"vendor_id":"0bda","product_id":"8153"}`, "product_id",
			`{"vendor_name":"Maker \"R\"","device_name":"Ethernet Adapter"}`,
		},
		{`{"vendor_id":"80","device_id":"86:a7a0"}`, "device_id", `{}`},
		{`{"vendor_id":8086}`, "device_id", `{}`},
		{`{}`, "device_id", `{}`},
		{`[]`, "device_id", ``},
	} {
		if got := string(names.Names([]byte(test.facts), test.field)); got != test.want {
			t.Errorf("%s: got %s, want %s", test.facts, got, test.want)
		}
	}
	if got := string(DeviceNames{}.Names([]byte(`{"vendor_id":"8086"}`), "device_id")); got != `{}` {
		t.Errorf("without a database: %s", got)
	}
}
