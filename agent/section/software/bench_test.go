package software

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/musterhq/muster/agent/host"
)

// BenchmarkLocal reads the databases of this machine.
func BenchmarkLocal(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		items, err := Collector().Collect(b.Context(), host.Local())
		if err != nil {
			b.Skip(err)
		}
		b.ReportMetric(float64(len(items)), "items")
	}
}

// BenchmarkCorpus reads recorded databases.
func BenchmarkCorpus(b *testing.B) {
	for _, kind := range []string{"dpkg", "apk", "rpmdb"} {
		for _, dir := range corpus(b, kind) {
			b.Run(kind+"/"+filepath.Base(dir), func(b *testing.B) {
				root := dir
				if kind == "rpmdb" {
					root = rpmTree(b, dir, rpmDirs[0])
				}
				if _, err := os.Stat(root); err != nil {
					b.Fatal(err)
				}
				h, err := host.Tree(root)
				if err != nil {
					b.Fatal(err)
				}
				b.ReportAllocs()
				for b.Loop() {
					if items, _ := Collector().Collect(b.Context(), h); len(items) == 0 {
						b.Fatal("nothing found")
					}
				}
			})
		}
	}
}
