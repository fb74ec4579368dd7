package pci

import (
	"archive/tar"
	"compress/gzip"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/testing/protocmp"

	"github.com/musterhq/muster/agent/host"
	"github.com/musterhq/muster/agent/section/hosttest"
	inventoryv1 "github.com/musterhq/muster/proto/muster/inventory/v1"
)

const bus = "/sys/bus/pci/devices/"

func device(modalias, revision string) map[string]string {
	return map[string]string{"modalias": modalias + "\n", "revision": revision + "\n"}
}

func tree(t *testing.T, devices map[string]map[string]string) *host.Host {
	t.Helper()
	if runtime.GOOS != "linux" {
		t.Skip("the PCI bus is read on Linux only")
	}
	files := map[string]string{"/sys/bus/pci/devices/": ""}
	for address, attributes := range devices {
		for name, text := range attributes {
			files[bus+address+"/"+name] = text
		}
	}
	return hosttest.Tree(t, files)
}

func TestCollect(t *testing.T) {
	t.Parallel()
	network := device("pci:v00008086d000010F5sv00001028sd00000252bc02sc00i00", "0x03")
	network["driver"] = "-> ../../../../bus/pci/drivers/e1000e"
	network["../../drivers/e1000e/bind"] = ""
	got, err := collect(t.Context(), tree(t, map[string]map[string]string{
		"0000:00:00.0":  device("pci:v00008086d00002A40sv00000000sd00000000bc06sc00i00", "0x07"),
		"0000:00:19.0":  network,
		"10000:e1:00.0": device("pci:v0000144Dd0000A80Asv0000144Dsd0000A801bc01sc08i02", "0x00"), // behind Intel VMD
	}))
	if err != nil {
		t.Error(err)
	}
	want := []proto.Message{
		&inventoryv1.PciDevice{Address: "0000:00:00.0", VendorId: "8086", DeviceId: "2a40", Class: "060000", Revision: "07"},
		&inventoryv1.PciDevice{
			Address: "0000:00:19.0", VendorId: "8086", DeviceId: "10f5", SubsystemVendorId: "1028", SubsystemId: "0252",
			Class: "020000", Revision: "03", Driver: "e1000e",
		},
		&inventoryv1.PciDevice{
			Address: "10000:e1:00.0", VendorId: "144d", DeviceId: "a80a", SubsystemVendorId: "144d", SubsystemId: "a801",
			Class: "010802", Revision: "00",
		},
	}
	if diff := cmp.Diff(want, got, protocmp.Transform()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestUnreadable: a device without modalias makes the section incomplete, not shorter.
func TestUnreadable(t *testing.T) {
	t.Parallel()
	_, err := collect(t.Context(), tree(t, map[string]map[string]string{
		"0000:00:00.0": device("pci:v00008086d00002A40sv00000000sd00000000bc06sc00i00", "0x07"),
		"0000:00:01.0": {"revision": "0x00"},
	}))
	if err == nil || errors.Is(err, host.ErrUnsupported) {
		t.Errorf("error %v", err)
	}
	if _, err := collect(t.Context(), tree(t, nil)); !errors.Is(err, host.ErrUnsupported) {
		t.Errorf("error %v, want %v", err, host.ErrUnsupported)
	}
}

// TestSnapshots counts the devices of recorded machines.
func TestSnapshots(t *testing.T) {
	t.Parallel()
	if runtime.GOOS != "linux" {
		t.Skip("the PCI bus is read on Linux only")
	}
	archives, err := filepath.Glob(filepath.Join(hosttest.Corpus(t, "linux-snapshots"), "*.tar.gz"))
	if err != nil {
		t.Fatal(err)
	}
	for _, archive := range archives {
		var want struct {
			Devices int `json:"pci_devices"`
		}
		data, err := os.ReadFile(strings.TrimSuffix(archive, ".tar.gz") + ".expected.json")
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(data, &want); err != nil {
			t.Fatal(err)
		}
		h, err := host.Tree(unpack(t, archive))
		if err != nil {
			t.Fatal(err)
		}
		items, err := collect(t.Context(), h)
		if len(items) != want.Devices || err != nil && !(want.Devices == 0 && errors.Is(err, host.ErrUnsupported)) {
			t.Errorf("%s: %d devices, want %d; error %v", filepath.Base(archive), len(items), want.Devices, err)
		}
		for _, item := range items {
			d, ok := item.(*inventoryv1.PciDevice)
			if !ok || len(d.VendorId) != 4 || len(d.DeviceId) != 4 || len(d.Class) != 6 {
				t.Errorf("%s: %v", filepath.Base(archive), item)
			}
		}
	}
}

// unpack writes the part of an archive that concerns the PCI bus.
func unpack(t *testing.T, archive string) (root string) {
	t.Helper()
	f, err := os.Open(archive)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	root = t.TempDir()
	for r := tar.NewReader(z); ; {
		header, err := r.Next()
		if errors.Is(err, io.EOF) {
			return root
		}
		if err != nil {
			t.Fatal(err)
		}
		if !strings.HasPrefix(header.Name, "sys/bus/pci/") && !strings.HasPrefix(header.Name, "sys/devices/pci") {
			continue
		}
		name := filepath.Join(root, filepath.FromSlash(filepath.Clean("/"+header.Name)))
		if err := os.MkdirAll(filepath.Dir(name), 0o750); err != nil {
			t.Fatal(err)
		}
		switch header.Typeflag {
		case tar.TypeSymlink:
			err = os.Symlink(header.Linkname, name)
		case tar.TypeReg:
			var data []byte
			if data, err = io.ReadAll(r); err == nil {
				err = os.WriteFile(name, data, 0o600)
			}
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}
