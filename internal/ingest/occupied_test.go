package ingest

import (
	"errors"
	"fmt"
	"runtime"
	"testing"

	"google.golang.org/protobuf/proto"

	"github.com/musterhq/muster/internal/wire"
	inventoryv1 "github.com/musterhq/muster/proto/muster/inventory/v1"
)

// TestTakenMemoryIsWhatAnUpdateOccupies decodes and validates updates of several shapes. What they
// occupy in the heap is no more than what was taken before. It must not run beside other tests,
// which would allocate too.
//
//nolint:paralleltest // see above
func TestTakenMemoryIsWhatAnUpdateOccupies(t *testing.T) {
	decoder, pack := newTestDecoder(t)
	section, _ := wire.Lookup("software")
	facts := func(i, size int) []byte {
		raw, err := proto.Marshal(&inventoryv1.Software{
			Source: "dpkg", Name: fmt.Sprintf("package-%d", i), Version: fmt.Sprintf("%0*d", size, i), Arch: "amd64",
		})
		if err != nil {
			t.Fatal(err)
		}
		return raw
	}
	const n = 5000
	shapes := map[string]*inventoryv1.Items{
		"nothing": {}, "empty items": {}, "empty readings": {}, "no items": {}, "programs": {}, "long programs": {},
		"removed programs": {},
	}
	for i := range n {
		add := func(name string, item *inventoryv1.Item) { shapes[name].Added = append(shapes[name].Added, item) }
		add("empty items", &inventoryv1.Item{})
		add("no items", &inventoryv1.Item{Facts: []byte{0xff, byte(i)}})
		add("programs", &inventoryv1.Item{Facts: facts(i, 8)})
		if i < n/10 {
			add("long programs", &inventoryv1.Item{Facts: facts(i, 1500)})
		}
		removed, readings := shapes["removed programs"], shapes["empty readings"]
		removed.Removed = append(removed.Removed, facts(i, 8))
		readings.Readings = append(readings.Readings, &inventoryv1.Reading{})
	}
	ingester, err := New(nil, Options{})
	if err != nil {
		t.Fatal(err)
	}
	for name, items := range shapes {
		chunk := pack(items)
		measure := func() (occupied, taken int64) {
			before := heap()
			u := &Update{Section: section, Take: func(bytes int64) error { taken += bytes; return nil }}
			if err := decoder.Add(u, chunk); err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			j := &job{obs: &CheckIn{Updates: []*Update{u}}}
			ingester.prepare(j)
			occupied = heap() - before
			runtime.KeepAlive(j)
			return occupied, taken
		}
		measure() // what is allocated once is no part of an update
		occupied, taken := measure()
		if occupied > taken {
			t.Errorf("%s: occupies %d bytes, and %d were taken", name, occupied, taken)
		}
		t.Logf("%s: %d bytes, %d taken", name, occupied, taken)
	}
}

func heap() int64 {
	var stats runtime.MemStats
	runtime.GC()
	runtime.GC() // the first one leaves what pools and finalizers hold
	runtime.ReadMemStats(&stats)
	return int64(stats.HeapAlloc)
}

// TestTakeComesFirst: nothing is decoded if its memory is not granted.
func TestTakeComesFirst(t *testing.T) {
	t.Parallel()
	decoder, pack := newTestDecoder(t)
	section, _ := wire.Lookup("software")
	chunk := pack(&inventoryv1.Items{Added: []*inventoryv1.Item{{Facts: []byte("a")}, {}}, Removed: [][]byte{{1}}})
	refused := errors.New("no memory")
	u := &Update{Section: section, Take: func(int64) error { return refused }}
	if err := decoder.Add(u, chunk); !errors.Is(err, refused) || u.items.Added != nil || u.items.Removed != nil {
		t.Errorf("got %v and %v, want the error and no items", err, u.items)
	}
}
