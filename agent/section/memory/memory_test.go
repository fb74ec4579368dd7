package memory

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/musterhq/muster/agent/host"
	"github.com/musterhq/muster/agent/section/hosttest"
	"github.com/musterhq/muster/agent/section/smbios"
	inventoryv1 "github.com/musterhq/muster/proto/muster/inventory/v1"
)

const endOfDMI = "\x7f\x04\x7f\x00\x00\x00"

// slot makes a type 17 structure with a size in MiB, a locator and a bank.
func slot(mebi byte, locator, bank string) string {
	s := make([]byte, 0x1B)
	copy(s, []byte{17, 0x1B, 1, 17})
	s[0x0C], s[0x0E], s[0x12] = mebi, 9, 0x18
	texts := ""
	for offset, text := range map[int]string{0x10: locator, 0x11: bank} {
		if text != "" {
			texts += text + "\x00"
			s[offset] = byte(strings.Count(texts, "\x00"))
		}
	}
	if texts == "" {
		texts = "\x00"
	}
	return string(s) + texts + "\x00"
}

// TestSlotsKeepApart: every slot is an item of its own, also if the firmware gives several the same
// name.
func TestSlotsKeepApart(t *testing.T) {
	t.Parallel()
	table, err := smbios.Parse([]byte(slot(1, "DIMM 0", "BANK 0")+slot(0, "DIMM 1", "BANK 0")+slot(0, "DIMM 1", "BANK 0")+
		slot(2, "Board", "")+slot(2, "Board", "")+slot(4, "", "")+endOfDMI), nil)
	if err != nil {
		t.Fatal(err)
	}
	items, err := FromTable(&table, nil)
	if err != nil {
		t.Fatal(err)
	}
	type row struct {
		locator, bank string
		ordinal       uint32
		size          uint64
	}
	var got []row
	for _, item := range items {
		m, ok := item.(*inventoryv1.Memory)
		if !ok || m.SizeBytes == nil {
			t.Fatalf("%v has no size", item)
		}
		got = append(got, row{m.GetLocator(), m.GetBank(), m.GetOrdinal(), m.GetSizeBytes() >> 20})
	}
	want := []row{
		{"DIMM 0", "BANK 0", 0, 1}, {"DIMM 1", "BANK 0", 1, 0}, {"DIMM 1", "BANK 0", 2, 0},
		{"Board", "", 1, 2}, {"Board", "", 2, 2}, {"", "", 1, 4},
	}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(row{})); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestNoSlots(t *testing.T) {
	t.Parallel()
	if items, err := FromTable(&smbios.Table{}, nil); !errors.Is(err, host.ErrUnsupported) || len(items) > 0 {
		t.Errorf("%d items, error %v, want %v", len(items), err, host.ErrUnsupported)
	}
	if _, err := FromTable(&smbios.Table{}, smbios.ErrIncomplete); !errors.Is(err, smbios.ErrIncomplete) {
		t.Errorf("error %v, want %v", err, smbios.ErrIncomplete)
	}
}

// TestTotal: without a table, the size of the whole machine is one item.
func TestTotal(t *testing.T) {
	t.Parallel()
	const blocks = memoryBlocks + "/memory"
	for _, c := range []struct {
		name  string
		files map[string]string
		want  uint64
	}{
		{
			"blocks of 128 MiB",
			map[string]string{
				memoryBlocks + "/block_size_bytes": "8000000\n", blocks + "0/state": "online\n", blocks + "32/state": "online\n",
				memoryBlocks + "/power/control": "auto\n", "/proc/meminfo": "MemTotal:        229376 kB\n",
			},
			256 << 20,
		},
		{"no blocks", map[string]string{"/proc/meminfo": "MemTotal:        1888980 kB\nMemFree: 1 kB\n"}, 1888980 << 10},
		{"damaged", map[string]string{memoryBlocks + "/block_size_bytes": "x", "/proc/meminfo": "MemTotal: many kB\n"}, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			items, err := collect(t.Context(), hosttest.Tree(t, c.files))
			if c.want == 0 {
				if len(items) > 0 || !errors.Is(err, host.ErrUnsupported) {
					t.Errorf("%v, error %v", items, err)
				}
				return
			}
			if err != nil || len(items) != 1 {
				t.Fatalf("%v, error %v", items, err)
			}
			m, ok := items[0].(*inventoryv1.Memory)
			if !ok || m.GetSizeBytes() != c.want || !m.IsTotal || m.Locator != "" {
				t.Errorf("%v, want %d bytes", items[0], c.want)
			}
		})
	}
}
