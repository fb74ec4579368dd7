package software

import (
	"testing"

	"github.com/musterhq/muster/agent/host"
)

func BenchmarkZZ(b *testing.B) {
	for _, n := range []string{"centos7-many", "fedora35", "centos8-modularitylabel"} {
		b.Run(n, func(b *testing.B) {
			h, _ := host.Tree(rpmTree(b, "/tmp/rpmtool/db/"+n, rpmDirs[0]))
			b.ReportAllocs()
			for b.Loop() {
				collect(b.Context(), h)
			}
		})
	}
}
