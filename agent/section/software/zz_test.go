package software

import (
	"fmt"
	"os"
	"path/filepath"
	"sort"
	"syscall"
	"strings"
	"testing"

	"github.com/musterhq/muster/agent/host"
	inventoryv1 "github.com/musterhq/muster/proto/muster/inventory/v1"
)

func TestZZ(t *testing.T) {
	dirs, _ := filepath.Glob("/tmp/rpmtool/db/*")
	for _, d := range dirs {
		root := t.TempDir()
		os.MkdirAll(root+"/var/lib", 0o755)
		os.Rename(d, d) // exists
		os.MkdirAll(root+"/var/lib/rpm", 0o755)
		fs, _ := os.ReadDir(d)
		for _, f := range fs {
			os.Link(filepath.Join(d, f.Name()), filepath.Join(root, "var/lib/rpm", f.Name()))
		}
		h, _ := host.Tree(root)
		items, err := collect(t.Context(), h)
		var lines []string
		or := func(s string) string {
			if s == "" {
				return "(none)"
			}
			return s
		}
		for _, i := range items {
			s := i.(*inventoryv1.Software)
			lines = append(lines, fmt.Sprintf("%s|%s|%s|%s|%d|%d", s.Name, s.Version, or(s.Arch), or(s.Publisher), s.GetSizeBytes(), s.GetInstallDate().GetSeconds()))
		}
		sort.Strings(lines)
		want, _ := os.ReadFile("/tmp/rpmtool/" + filepath.Base(d) + ".txt")
		wl := strings.Split(strings.TrimSpace(string(want)), "\n")
		sort.Strings(wl)
		t.Log(filepath.Base(d), len(lines), len(wl), strings.Join(lines, "\n") == strings.Join(wl, "\n"), err)
		if filepath.Base(d) == "sle15-bci" { t.Log(lines[0]) }
	}
}
func TestZDpkg(t *testing.T) {
	items, err := collect(t.Context(), host.Local())
	t.Log(len(items), err, items[0], items[3])
	for _, root := range []string{"dpkg/trivy-ubuntu18.04", "dpkg/scalibr-valid", "dpkg/claircore-postgresql", "apk/scalibr-installed"} {
		h, _ := host.Tree("/work/shared/corpora/packages/" + root)
		items, err := collect(t.Context(), h)
		t.Log(root, len(items), err)
	}
}
func BenchmarkLive(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		collect(b.Context(), host.Local())
	}
}

func BenchmarkCPU(b *testing.B) {
	var before, after syscall.Rusage
	syscall.Getrusage(0, &before)
	for b.Loop() {
		collect(b.Context(), host.Local())
	}
	syscall.Getrusage(0, &after)
	cpu := (after.Utime.Nano() + after.Stime.Nano()) - (before.Utime.Nano() + before.Stime.Nano())
	b.ReportMetric(float64(cpu)/float64(b.N), "cpu-ns/op")
}
func BenchmarkParseOnly(b *testing.B) {
	root := b.TempDir()
	os.MkdirAll(root+"/var/lib/dpkg", 0o755)
	data, _ := os.ReadFile("/var/lib/dpkg/status")
	os.WriteFile(root+"/var/lib/dpkg/status", data, 0o644)
	h, _ := host.Tree(root)
	for b.Loop() {
		l := newList(release{id: "debian"})
		d := &dpkg{host: h, list: l}
		d.eachParagraph(b.Context(), dpkgStatus, func(p *paragraphs) { l.add("dpkg", purlDeb, found{name: p.values[0], version: p.values[2], arch: p.values[3], publisher: p.values[5]}) })
	}
}
func BenchmarkStat(b *testing.B) {
	n, _ := filepath.Glob("/var/lib/dpkg/info/*.list")
	for b.Loop() {
		for _, s := range n {
			os.Stat(s)
		}
	}
}
