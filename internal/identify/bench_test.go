package identify_test

import (
	"testing"

	"github.com/musterhq/muster/internal/identify"
)

// neighbors are the reports of the usual neighborhood: an order, an agent that was installed anew, and an import.
func neighbors(t testing.TB) *lattice {
	t.Helper()
	l := newLattice(identify.Default())
	for _, h := range hazards(t) {
		if h.name != "15-agent-installed-anew" && h.name != "19-ordered" {
			continue
		}
		for _, r := range h.Reports {
			l.add(r)
		}
	}
	return l
}

func BenchmarkTokens(b *testing.B) {
	rules := identify.Default()
	ids := hazards(b)[0].Reports[0].IDs
	for _, h := range hazards(b) {
		if h.name == "14-dual-boot" {
			ids = h.Reports[0].IDs
		}
	}
	b.ReportAllocs()
	for b.Loop() {
		rules.Tokens(ids)
	}
}

func BenchmarkPartition(b *testing.B) {
	rules := identify.Default()
	n := neighbors(b).neighborhood(nil)
	b.ReportAllocs()
	for b.Loop() {
		rules.Partition(n)
	}
}

func BenchmarkPartitionOfOne(b *testing.B) {
	rules := identify.Default()
	n := neighbors(b).neighborhood(nil)
	n.Witnesses = n.Witnesses[:1]
	b.ReportAllocs()
	for b.Loop() {
		rules.Partition(n)
	}
}
