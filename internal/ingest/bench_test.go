package ingest_test

import (
	"fmt"
	"testing"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/musterhq/muster/internal/ingest"
	"github.com/musterhq/muster/internal/inventory"
)

// BenchmarkFirstInventory applies first inventories of 1,000 packages that other machines have too.
// make bench measures the same with real agents; this benchmark is for profiles.
func BenchmarkFirstInventory(b *testing.B) {
	e := newFixture(b)
	var items []proto.Message
	for i := range 1000 {
		item := pkg(fmt.Sprintf("package-%d", i), "1.2.3-4")
		item.InstallDate = &timestamppb.Timestamp{Seconds: 1700000000 + int64(i)}
		item.SizeBytes = proto.Uint64(uint64(i) << 10)
		items = append(items, item)
	}
	mustObserve(b, e.enroll(b), software(inventory.StatusOK, items...))
	observations := make([]*ingest.CheckIn, 0, 64)
	for b.Loop() {
		b.StopTimer()
		observations = append(observations[:0], e.enroll(b).prepare(b, software(inventory.StatusOK, items...)))
		b.StartTimer()
		if _, err := e.ingester.Apply(b.Context(), observations[0]); err != nil {
			b.Fatal(err)
		}
	}
}
