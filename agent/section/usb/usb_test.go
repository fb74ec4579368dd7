package usb

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/testing/protocmp"

	"github.com/musterhq/muster/agent/host"
	"github.com/musterhq/muster/agent/section/hosttest"
	inventoryv1 "github.com/musterhq/muster/proto/muster/inventory/v1"
)

func TestCollect(t *testing.T) {
	t.Parallel()
	h := hosttest.Tree(t, map[string]string{
		devices + "/usb1/idVendor":             "1d6b\n",
		devices + "/1-0:1.0/bInterfaceClass":   "09\n",
		devices + "/1-4/idVendor":              "413c\n",
		devices + "/1-4/idProduct":             "b06e\n",
		devices + "/1-4/bDeviceClass":          "09\n",
		devices + "/1-4/product":               "Dell dock\n",
		devices + "/1-4/speed":                 "480\n",
		devices + "/1-4/removable":             "removable\n",
		devices + "/1-4.2/idVendor":            "046d\n",
		devices + "/1-4.2/idProduct":           "085e\n",
		devices + "/1-4.2/serial":              "5EA98CDE\n",
		devices + "/1-4.2/manufacturer":        "Logitech\n",
		devices + "/1-4.2/product":             "BRIO \xff\n",
		devices + "/1-4.2/bDeviceClass":        "ef\n",
		devices + "/1-4.2/bcdDevice":           "0317\n",
		devices + "/1-4.2/speed":               "1.5\n",
		devices + "/1-4.2/removable":           "fixed\n",
		devices + "/1-4.2:1.0/bInterfaceClass": "0e\n",
		devices + "/1-4.2:1.0/driver":          "-> ../../../bus/usb/drivers/uvcvideo",
		devices + "/1-4.2:1.1/bInterfaceClass": "0e\n",
		devices + "/1-4.2:1.1/driver":          "-> ../../../bus/usb/drivers/uvcvideo",
		devices + "/1-4.2:1.2/bInterfaceClass": "03\n",
		devices + "/1-4.2:1.2/driver":          "-> ../../../bus/usb/drivers/usbhid",
		devices + "/1-5/removable":             "unknown\n", // it is being removed
		devices + "/1-5:1.0/bInterfaceClass":   "08\n",
	})
	got, err := collect(t.Context(), h)
	if err != nil {
		t.Error(err)
	}
	want := []proto.Message{
		&inventoryv1.UsbDevice{
			BusPath: "1-4", VendorId: "413c", ProductId: "b06e", Name: "Dell dock", Class: "09",
			Removable: proto.Bool(true), SpeedMbps: proto.Uint32(480),
		},
		&inventoryv1.UsbDevice{
			BusPath: "1-4.2", VendorId: "046d", ProductId: "085e", SerialNumber: "5EA98CDE", Name: "BRIO \xff",
			Manufacturer: "Logitech", Class: "ef", InterfaceClasses: []string{"03", "0e"}, Revision: "0317",
			Drivers: []string{"usbhid", "uvcvideo"}, Removable: proto.Bool(false), SpeedMbps: proto.Uint32(1),
		},
	}
	if diff := cmp.Diff(want, got, protocmp.Transform()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if _, err := collect(t.Context(), hosttest.Tree(t, nil)); !errors.Is(err, host.ErrUnsupported) {
		t.Errorf("error %v, want %v", err, host.ErrUnsupported)
	}
}
