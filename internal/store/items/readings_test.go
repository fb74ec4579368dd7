package items

import (
	"bytes"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"
	"pgregory.net/rapid"

	"github.com/musterhq/muster/internal/inventory"
	inventoryv1 "github.com/musterhq/muster/proto/muster/inventory/v1"
)

// restored encodes readings, decodes the payload and restores each of them.
func restored(
	t interface{ Fatal(args ...any) }, readings []inventory.Reading, first map[inventory.ItemID][]byte,
) (map[inventory.ItemID][]byte, int) {
	codec, err := NewReadingCodec()
	if err != nil {
		t.Fatal(err)
	}
	payload := codec.encode(readings, first)
	stored, err := codec.Decode(payload)
	if err != nil {
		t.Fatal(err)
	}
	got := map[inventory.ItemID][]byte{}
	for _, s := range stored {
		if got[s.Item], err = s.Restore(first[s.Item]); err != nil {
			t.Fatal(err)
		}
	}
	return got, len(payload)
}

func softwareReadings(location string, size uint64, installed time.Time) []byte {
	m := &inventoryv1.Software{InstallDate: timestamppb.New(installed)}
	if location != "" {
		m.InstallLocation = location
	}
	if size > 0 {
		m.SizeBytes = proto.Uint64(size)
	}
	raw, err := proto.MarshalOptions{Deterministic: true}.Marshal(m)
	if err != nil {
		panic(err)
	}
	return raw
}

// TestReadingsAreRestored has the readings of a machine restored from their differences to the
// first ones, whatever these are.
func TestReadingsAreRestored(t *testing.T) {
	t.Parallel()
	message := rapid.Custom(func(t *rapid.T) []byte {
		if rapid.IntRange(0, 3).Draw(t, "form") == 0 {
			return rapid.SliceOfN(rapid.Byte(), 1, 40).Draw(t, "bytes")
		}
		location := rapid.SampledFrom([]string{"", "/opt/app", "\x08\x01"}).Draw(t, "location")
		size := rapid.Uint64().Draw(t, "size")
		return softwareReadings(location, size, time.Unix(rapid.Int64Range(-1e9, 4e9).Draw(t, "installed"), 0))
	})
	rapid.Check(t, func(t *rapid.T) {
		var readings []inventory.Reading
		first := map[inventory.ItemID][]byte{}
		for id := range inventory.ItemID(rapid.IntRange(1, 20).Draw(t, "items")) {
			r := inventory.Reading{Item: 1 + id*7, Raw: message.Draw(t, "reading")}
			switch rapid.IntRange(0, 2).Draw(t, "first") {
			case 0:
				first[r.Item] = message.Draw(t, "first reading")
			case 1:
				first[r.Item] = bytes.Clone(r.Raw)
			}
			readings = append(readings, r)
		}
		got, _ := restored(t, readings, first)
		for _, r := range readings {
			if !bytes.Equal(got[r.Item], r.Raw) {
				t.Fatalf("item %d: %x, want %x; first %x", r.Item, got[r.Item], r.Raw, first[r.Item])
			}
		}
	})
}

func FuzzReadings(f *testing.F) {
	f.Add(softwareReadings("/opt", 9, time.Unix(1e9, 0)), softwareReadings("/opt", 10, time.Unix(1e9+5, 0)))
	f.Add([]byte{0x08, 0x80, 0x00}, []byte{0x08, 0x01}) // a number in more bytes than it needs
	f.Add([]byte{0x0a, 0x02, 0x08, 0x7f}, []byte{0x0a, 0x03, 0x08, 0x80, 0x01})
	f.Fuzz(func(t *testing.T, first, raw []byte) {
		got, _ := restored(t, []inventory.Reading{{Item: 5, Raw: raw}}, map[inventory.ItemID][]byte{5: first})
		if !bytes.Equal(got[5], raw) {
			t.Errorf("%x, want %x; first %x", got[5], raw, first)
		}
	})
}

// TestReadingsOfAlikeMachines: a machine that has the software of another one, installed at another
// time, needs a few bytes per hundred programs.
func TestReadingsOfAlikeMachines(t *testing.T) {
	t.Parallel()
	const programs = 800
	var readings []inventory.Reading
	first := map[inventory.ItemID][]byte{}
	for id := range inventory.ItemID(programs) {
		installed := time.Unix(1.7e9+int64(id*id%10007), 0)
		first[id+1] = softwareReadings("", uint64(id)*1234567, installed)
		readings = append(readings, inventory.Reading{
			Item: id + 1, Raw: softwareReadings("", uint64(id)*1234567, installed.Add(31*time.Hour)),
		})
	}
	_, alike := restored(t, readings, first)
	_, alone := restored(t, readings, nil)
	if alike*10 > alone {
		t.Errorf("%d bytes beside %d bytes without the first readings, want a tenth at most", alike, alone)
	}
	t.Logf("%d bytes, %d without the first readings", alike, alone)
}

func TestDamagedReadings(t *testing.T) {
	t.Parallel()
	codec, err := NewReadingCodec()
	if err != nil {
		t.Fatal(err)
	}
	for what, raw := range map[string][]byte{
		"no count":               {},
		"more items than bytes":  {200},
		"no form":                {1, 5},
		"a length past the end":  {1, 5, formWhole, 9, 1},
		"more numbers than left": {1, 5, formNumbers + 3, 1},
	} {
		if _, err := codec.Decode(codec.encoder.EncodeAll(raw, nil)); err == nil {
			t.Errorf("%s is decoded", what)
		}
	}
	stored, err := codec.Decode(codec.encode(
		[]inventory.Reading{{Item: 1, Raw: []byte{0x08, 0x02}}}, map[inventory.ItemID][]byte{1: {0x08, 0x01}},
	))
	if err != nil {
		t.Fatal(err)
	}
	if raw, err := stored[0].Restore([]byte{0x12, 0x00}); err == nil {
		t.Errorf("a difference to another reading is %x", raw)
	}
}
