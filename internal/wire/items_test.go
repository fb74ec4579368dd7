package wire_test

import (
	"bytes"
	"errors"
	"slices"
	"testing"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"

	"github.com/musterhq/muster/internal/wire"
	inventoryv1 "github.com/musterhq/muster/proto/muster/inventory/v1"
)

// FuzzItems compares Items with proto.Unmarshal: both accept the same bytes and read the same items
// from them.
func FuzzItems(f *testing.F) {
	for _, seed := range itemsSeeds(f) {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, chunk []byte) {
		var want inventoryv1.Items
		wantErr := proto.Unmarshal(chunk, &want)
		var got wire.Items
		err := got.Append(chunk, len(chunk))
		if (err == nil) != (wantErr == nil) {
			t.Fatalf("%x: got error %v, proto.Unmarshal returned %v", chunk, err, wantErr)
		}
		if err == nil {
			compareItems(t, got, &want)
		}
	})
}

func compareItems(t *testing.T, got wire.Items, want *inventoryv1.Items) {
	t.Helper()
	added := slices.EqualFunc(got.Added, want.GetAdded(), func(g wire.Encoded, w *inventoryv1.Item) bool {
		return g.Hash == wire.HashOf(w.GetFacts()) && g.KeyHash == 0 && bytes.Equal(g.Facts, w.GetFacts()) &&
			bytes.Equal(g.Readings, w.GetReadings()) && (g.Readings == nil) == (w.GetReadings() == nil)
	})
	removed := slices.EqualFunc(got.Removed, want.GetRemoved(), func(g wire.Encoded, facts []byte) bool {
		return g.Hash == wire.HashOf(facts) && bytes.Equal(g.Facts, facts) && g.Readings == nil
	})
	readings := slices.EqualFunc(got.Readings, want.GetReadings(), func(g wire.Encoded, w *inventoryv1.Reading) bool {
		return uint64(g.KeyHash) == w.GetKeyHash() && bytes.Equal(g.Readings, w.GetReadings())
	})
	if !added || !removed || !readings {
		t.Errorf("got %+v, want %v", got, want)
	}
}

// itemsSeeds returns chunks as our agent encodes them, and others: fields of the wrong type,
// unknown and repeated fields, groups, field numbers that are too large, truncated values.
func itemsSeeds(t testing.TB) [][]byte {
	t.Helper()
	honest := &inventoryv1.Items{
		Added:    []*inventoryv1.Item{{Facts: []byte("facts"), Readings: []byte("readings")}, {Facts: []byte("more")}, {}},
		Removed:  [][]byte{[]byte("gone"), nil},
		Readings: []*inventoryv1.Reading{{KeyHash: 1<<63 + 7, Readings: []byte("r")}, {}},
	}
	all, err := proto.Marshal(honest)
	if err != nil {
		t.Fatal(err)
	}
	text := func(number protowire.Number, value []byte) []byte {
		return protowire.AppendBytes(protowire.AppendTag(nil, number, protowire.BytesType), value)
	}
	number := protowire.AppendVarint(protowire.AppendTag(nil, 1, protowire.VarintType), 300)
	group := slices.Concat(protowire.AppendTag(nil, 9, protowire.StartGroupType), number,
		protowire.AppendTag(nil, 9, protowire.EndGroupType))
	facts := text(1, []byte("facts"))
	return [][]byte{
		nil, all, all[:len(all)-1], all[:len(all)/2], slices.Concat(all, all),
		number, group, text(1, number), text(3, number), text(3, facts), text(1, group), text(1, group[:len(group)-1]),
		text(1, slices.Concat(facts, text(1, []byte("again")))), text(1, slices.Concat(facts, text(1, nil), text(2, nil))),
		slices.Concat(text(900, []byte("unknown")), all), text(1, slices.Concat(facts, text(900, []byte("unknown")))),
		text(protowire.MaxValidNumber, nil), protowire.AppendVarint(nil, (1<<29)<<3|2), protowire.AppendVarint(nil, 2),
		slices.Concat(protowire.AppendVarint(nil, (1<<29)<<3|2), []byte{0}),
		protowire.AppendTag(nil, 9, protowire.EndGroupType),
		{0x0a, 0xff, 0xff, 0xff, 0xff, 0x0f}, {0x80, 0x80}, {0x0f}, bytes.Repeat([]byte{0x4b}, 10_002),
	}
}

// TestItemsBound checks that each list is bounded over all chunks of a section.
func TestItemsBound(t *testing.T) {
	t.Parallel()
	for number := protowire.Number(1); number <= 3; number++ {
		one := protowire.AppendBytes(protowire.AppendTag(nil, number, protowire.BytesType), nil)
		var items wire.Items
		if err := items.Append(bytes.Repeat(one, 3), 5); err != nil {
			t.Fatal(err)
		}
		if err := items.Append(bytes.Repeat(one, 2), 5); err != nil {
			t.Errorf("field %d: 5 of 5 items: %v", number, err)
		}
		if err := items.Append(one, 5); !errors.Is(err, wire.ErrTooMany) {
			t.Errorf("field %d: got %v for 6 of 5 items, want %v", number, err, wire.ErrTooMany)
		}
	}
}
