package identify_test

import (
	"fmt"
	"testing"

	"github.com/musterhq/muster/internal/identify"
	"github.com/musterhq/muster/internal/inventory"
)

// sharingRecords are the reports of the usual candidate set: an order, an agent that was installed anew, and an import.
func sharingRecords(t testing.TB) *lattice {
	t.Helper()
	l := newLattice(identify.Default())
	for _, h := range hazards(t) {
		if h.name != "15-agent-reinstalled" && h.name != "19-ordered" {
			continue
		}
		for _, r := range h.Reports {
			l.add(r)
		}
	}
	return l
}

func BenchmarkNormalize(b *testing.B) {
	rules := identify.Default()
	ids := hazards(b)[0].Reports[0].IDs
	for _, h := range hazards(b) {
		if h.name == "14-dual-boot" {
			ids = h.Reports[0].IDs
		}
	}
	b.ReportAllocs()
	for b.Loop() {
		rules.Normalize(ids)
	}
}

func BenchmarkPartition(b *testing.B) {
	rules := identify.Default()
	n := sharingRecords(b).candidateSet(nil)
	b.ReportAllocs()
	for b.Loop() {
		rules.Partition(n)
	}
}

func BenchmarkPartitionOfOne(b *testing.B) {
	rules := identify.Default()
	n := sharingRecords(b).candidateSet(nil)
	n.Records = n.Records[:1]
	b.ReportAllocs()
	for b.Loop() {
		rules.Partition(n)
	}
}

// BenchmarkPartitionOfMany decides about as many holders of one identifier as are looked at: beyond, it is over-shared.
func BenchmarkPartitionOfMany(b *testing.B) {
	rules := identify.Default()
	l := newLattice(rules)
	for round := range 2 {
		for i := range 64 {
			l.add(report{Record: fmt.Sprint("r", i), At: float64(round*64 + i), IDs: inventory.RawIdentifiers{
				Manufacturer: "Noname", SerialNumber: "ODMSAME9", UUID: fmt.Sprintf("4c4c4544-004b-4e10-805a-b7c04f42%04x", i),
				Interfaces: []inventory.InterfaceID{{MAC: fmt.Sprintf("a4:bb:6d:10:20:%02x", i)}},
			}})
		}
	}
	n := l.candidateSet(nil)
	b.ReportAllocs()
	for b.Loop() {
		rules.Partition(n)
	}
}
