package gpu

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
		pciDevices + "0000:00:02.0/class":                         "0x030000\n",
		pciDevices + "0000:00:02.0/vendor":                        "0x8086\n",
		pciDevices + "0000:00:02.0/device":                        "0x46a6\n",
		pciDevices + "0000:00:02.0/subsystem_vendor":              "0x1028\n",
		pciDevices + "0000:00:02.0/subsystem_device":              "0x0b04\n",
		pciDevices + "0000:00:02.0/driver":                        "-> ../../drivers/i915",
		pciDevices + "0000:00:1f.0/class":                         "0x060100\n",
		pciDevices + "0000:00:1f.0/vendor":                        "0x8086\n",
		pciDevices + "0000:00:1f.0/device":                        "0x5182\n",
		pciDevices + "0000:00:1f.0/subsystem_vendor":              "0x1028\n",
		pciDevices + "0000:00:1f.0/subsystem_device":              "0x0b04\n",
		pciDevices + "0000:01:00.0/class":                         "0x030000\n",
		pciDevices + "0000:01:00.0/vendor":                        "0x10de\n",
		pciDevices + "0000:01:00.0/device":                        "0x2204\n",
		pciDevices + "0000:01:00.0/subsystem_vendor":              "0x1043\n",
		pciDevices + "0000:01:00.0/subsystem_device":              "0x87d0\n",
		pciDevices + "0000:01:00.0/driver":                        "-> ../../drivers/nvidia",
		pciDevices + "0000:03:00.0/class":                         "0x038000\n",
		pciDevices + "0000:03:00.0/vendor":                        "0x1002\n",
		pciDevices + "0000:03:00.0/device":                        "0x73bf\n",
		pciDevices + "0000:03:00.0/subsystem_vendor":              "0x1002\n",
		pciDevices + "0000:03:00.0/subsystem_device":              "0x0e3a\n",
		pciDevices + "0000:03:00.0/mem_info_vram_total":           "17163091968\n",
		"/sys/bus/pci/drivers/i915/":                              "",
		"/sys/bus/pci/drivers/nvidia/":                            "",
		"/sys/module/nvidia/version":                              "550.163.01\n",
		nvidiaGPUs + "0000:01:00.0/information":                   "Model: \t\t NVIDIA GeForce RTX 3090\nIRQ:   \t\t 154\n",
		"/sys/class/drm/card0":                                    "-> ../../bus/platform/devices/fdea0000.gpu/drm/card0",
		"/sys/bus/platform/devices/fdea0000.gpu/drm/card0/device": "-> ../../../fdea0000.gpu",
		"/sys/bus/platform/devices/fdea0000.gpu/subsystem":        "-> ../../../platform",
		"/sys/bus/platform/devices/fdea0000.gpu/driver":           "-> ../../drivers/panfrost",
		"/sys/bus/platform/drivers/panfrost/":                     "",
		"/sys/class/drm/card1":                                    "-> ../../bus/pci/devices/0000:00:02.0/drm/card1",
		"/sys/bus/pci/devices/0000:00:02.0/drm/card1/device":      "-> ../../../0000:00:02.0",
		"/sys/bus/pci/devices/0000:00:02.0/subsystem":             "-> ../../../pci",
		"/sys/class/drm/card1-eDP-1/status":                       "connected\n",
	})
	got, err := collect(t.Context(), h)
	if err != nil {
		t.Error(err)
	}
	want := []proto.Message{
		&inventoryv1.Gpu{
			BusPath: "0000:00:02.0", VendorId: "8086", DeviceId: "46a6", SubsystemVendorId: "1028", SubsystemId: "0b04",
			Driver: "i915",
		},
		&inventoryv1.Gpu{
			BusPath: "0000:01:00.0", VendorId: "10de", DeviceId: "2204", SubsystemVendorId: "1043", SubsystemId: "87d0",
			Name: "NVIDIA GeForce RTX 3090", Driver: "nvidia", DriverVersion: "550.163.01",
		},
		&inventoryv1.Gpu{
			BusPath: "0000:03:00.0", VendorId: "1002", DeviceId: "73bf", SubsystemVendorId: "1002", SubsystemId: "0e3a",
			VramBytes: proto.Uint64(17163091968),
		},
		&inventoryv1.Gpu{BusPath: "fdea0000.gpu", Driver: "panfrost"},
	}
	if diff := cmp.Diff(want, got, protocmp.Transform()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestNone(t *testing.T) {
	t.Parallel()
	items, err := collect(t.Context(), hosttest.Tree(t, nil))
	if len(items) > 0 || !errors.Is(err, host.ErrUnsupported) {
		t.Errorf("%d items, error %v", len(items), err)
	}
}
