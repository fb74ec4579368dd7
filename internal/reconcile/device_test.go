package reconcile_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/musterhq/muster/internal/inventory"
	"github.com/musterhq/muster/internal/reconcile"
)

func TestDevice(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name       string
		system, os string
		want       inventory.DeviceFacts
	}{
		{"nothing known", ``, ``, inventory.DeviceFacts{Class: "computer"}},
		{"notebook", `{"manufacturer":"Dell Inc.","product_name":"Latitude 7440","serial_number":"ABC1234","uuid":"u","chassis_type_code":10}`,
			`{"name":"Debian GNU/Linux","version":"12","hostname":"desk-1"}`,
			inventory.DeviceFacts{
				Class: "laptop", Name: "desk-1", Manufacturer: "Dell Inc.", Model: "Latitude 7440", SerialNumber: "ABC1234",
				UUID: "u", OSName: "Debian GNU/Linux", OSVersion: "12",
			}},
		{"virtual machine in a tower", `{"is_virtual":true,"chassis_type_code":7}`, ``, inventory.DeviceFacts{Class: "virtual_machine"}},
		{"no virtual machine", `{"is_virtual":false,"chassis_type_code":7}`, ``, inventory.DeviceFacts{Class: "desktop"}},
		{"container on a virtual machine", `{"is_virtual":true,"container_type":"docker"}`, ``, inventory.DeviceFacts{Class: "container"}},
		{"rack server", `{"chassis_type_code":23}`, ``, inventory.DeviceFacts{Class: "server"}},
		{"chassis of unknown type", `{"chassis_type_code":2}`, ``, inventory.DeviceFacts{Class: "computer"}},
		{"long name, cut between characters", ``, `{"hostname":"` + strings.Repeat("x", 254) + `é"}`,
			inventory.DeviceFacts{Class: "computer", Name: strings.Repeat("x", 254)}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			got := reconcile.Device([]byte(c.system), []byte(c.os))
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("device (-want +got):\n%s", diff)
			}
		})
	}
}
