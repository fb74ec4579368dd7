package gpu

import (
	"errors"
	"runtime"
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
	if runtime.GOOS != "linux" {
		t.Skip("the PCI bus is read on Linux only")
	}
	h := hosttest.Tree(t, map[string]string{
		pciDevices + "0000:00:02.0/modalias":                      "pci:v00008086d000046A6sv00001028sd00000B04bc03sc00i00\n",
		pciDevices + "0000:00:02.0/driver":                        "-> ../../drivers/i915",
		pciDevices + "0000:00:1f.0/modalias":                      "pci:v00008086d00005182sv00001028sd00000B04bc06sc01i00\n",
		pciDevices + "0000:01:00.0/modalias":                      "pci:v000010DEd00002204sv00001043sd000087D0bc03sc00i00\n",
		pciDevices + "0000:01:00.0/driver":                        "-> ../../drivers/nvidia",
		pciDevices + "0000:03:00.0/modalias":                      "pci:v00001002d000073BFsv00001002sd00000E3Abc03sc80i00\n",
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
