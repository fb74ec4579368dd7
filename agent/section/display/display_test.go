package display

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"

	"github.com/musterhq/muster/agent/host"
	"github.com/musterhq/muster/internal/edid"
	inventoryv1 "github.com/musterhq/muster/proto/muster/inventory/v1"
)

// block makes an EDID of Dell with a product code and a serial number.
func block(product, serial byte) []byte {
	data := make([]byte, 128)
	copy(data, "\x00\xFF\xFF\xFF\xFF\xFF\xFF\x00\x10\xAC")
	data[10], data[12], data[17] = product, serial, 30
	return data
}

// tree makes a machine with connectors: each has a status, and some an EDID.
func tree(t *testing.T, connectors map[string]string, edids map[string][]byte) *host.Host {
	t.Helper()
	root := t.TempDir()
	for name, status := range connectors {
		dir := filepath.Join(root, "sys/class/drm", name)
		if err := os.MkdirAll(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		if status == "" {
			continue
		}
		write(t, filepath.Join(dir, "status"), []byte(status+"\n"))
		write(t, filepath.Join(dir, "edid"), edids[name])
	}
	h, err := host.Tree(root)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func write(t *testing.T, file string, data []byte) {
	t.Helper()
	if err := os.WriteFile(file, data, 0o600); err != nil {
		t.Fatal(err)
	}
}

type row struct {
	Connection, Port string
	Product, Serial  uint32
	Internal         bool
}

func TestCollect(t *testing.T) {
	t.Parallel()
	h := tree(t,
		map[string]string{
			"card0": "", "renderD128": "", "version": "", "card0-eDP-1": "connected", "card0-DP-1": "connected",
			"card0-DP-2": "connected", "card0-HDMI-A-1": "disconnected", "card1-HDMI-A-2": "connected", "card1-Virtual-1": "connected",
		},
		map[string][]byte{
			"card0-eDP-1": block(1, 0), "card0-DP-1": block(2, 0), "card0-DP-2": block(2, 0),
			"card0-HDMI-A-1": block(3, 0), "card1-HDMI-A-2": block(2, 9),
		})
	items, err := collect(t.Context(), h)
	if err != nil {
		t.Fatal(err)
	}
	want := []row{
		{"DP-1", "DP-1", 2, 0, false},
		{"DP-2", "DP-2", 2, 0, false},
		{"eDP-1", "", 1, 0, true},
		{"HDMI-A-2", "", 2, 9, false},
	}
	if diff := cmp.Diff(want, rows(t, items)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func rows(t *testing.T, items []proto.Message) []row {
	t.Helper()
	var list []row
	for _, item := range items {
		d, ok := item.(*inventoryv1.Display)
		if !ok {
			t.Fatalf("%T is no display", item)
		}
		list = append(list, row{d.GetConnection(), d.GetPort(), d.GetProductCode(), d.GetSerialNumber(), d.GetIsInternal()})
	}
	return list
}

// TestOneBadDisplay: an unreadable EDID makes the section partial and does not affect other
// displays.
func TestOneBadDisplay(t *testing.T) {
	t.Parallel()
	h := tree(t, map[string]string{"card0-DP-1": "connected", "card0-DP-2": "connected"},
		map[string][]byte{"card0-DP-1": bytes.Repeat([]byte{7}, 128), "card0-DP-2": block(2, 0)})
	items, err := collect(t.Context(), h)
	if !errors.Is(err, edid.ErrHeader) {
		t.Errorf("error %v, want %v", err, edid.ErrHeader)
	}
	if diff := cmp.Diff([]row{{"DP-2", "", 2, 0, false}}, rows(t, items)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestNoGraphics(t *testing.T) {
	t.Parallel()
	if _, err := collect(t.Context(), tree(t, nil, nil)); !errors.Is(err, host.ErrUnsupported) {
		t.Errorf("error %v, want %v", err, host.ErrUnsupported)
	}
}
