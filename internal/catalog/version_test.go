package catalog

import (
	"bufio"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestCompareVersions(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		source, a, b string
		want         int
		known        bool
	}{
		{"dpkg", "5.2.15-2", "5.2.15-2", 0, true},
		{"dpkg", "5.2.15-2", "5.2.15-2+b7", -1, true},
		{"dpkg", "1.0~rc1-1", "1.0-1", -1, true},
		{"dpkg", "9.9", "9.10", -1, true},
		{"dpkg", "2:1.0-1", "1:9.0-1", 1, true},
		{"dpkg", "12.4+deb12u5", "12.4+deb12u12", -1, true},
		{"dpkg", "2.36-9+deb12u4", "2.36-9", 1, true},
		{"dpkg", "not a version", "1.0", 0, false},
		{"rpm", "4.18.0-1.fc39", "4.18.0-1.fc40", -1, true},
		{"rpm", "1:1.0-1", "9.0-1", 1, true},
		{"rpm", "1.0~rc1-1", "1.0-1", -1, true},
		{"rpm", "1.0^git1-1", "1.0-1", 1, true},
		{"rpm", "10.0001-1", "10.1-1", 0, true},
		{"apk", "3.18.4-r0", "3.18.4-r1", -1, true},
		{"apk", "1.2.3_rc1-r0", "1.2.3-r0", -1, true},
		{"apk", "1.2.3_p1-r0", "1.2.3-r0", 1, true},
		{"apk", "one", "two", 0, false},
		{"dpkg", "", "1.0", 0, false},
		{"registry", "1.0", "2.0", 0, false},
	} {
		got, known := CompareVersions(c.source, c.a, c.b)
		if got != c.want || known != c.known {
			t.Errorf("CompareVersions(%q, %q, %q) = %d, %v, want %d, %v", c.source, c.a, c.b, got, known, c.want, c.known)
		}
		back, _ := CompareVersions(c.source, c.b, c.a)
		if back != -c.want {
			t.Errorf("CompareVersions(%q, %q, %q) = %d, want %d", c.source, c.b, c.a, back, -c.want)
		}
	}
}

// TestCompareCorpus uses the vectors that concern versions only. The others compare whole package
// names with architectures, which are separate fields here.
func TestCompareCorpus(t *testing.T) {
	t.Parallel()
	file, err := os.Open(filepath.Join(moduleRoot(t), "..", "shared", "corpora", "packages", "rpmver", "compare"))
	if os.IsNotExist(err) {
		t.Skip("the corpora are not beside the checkout")
	}
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = file.Close() }()

	orders := map[string]int{"<": -1, "==": 0, ">": 1}
	compared := 0
	for lines := bufio.NewScanner(file); lines.Scan(); {
		fields := strings.Fields(lines.Text())
		if len(fields) != 3 || fields[0] == "#" || !sameButVersion(fields[0], fields[2]) {
			continue
		}
		compared++
		got, known := CompareVersions("rpm", versionOf(fields[0]), versionOf(fields[2]))
		if want := orders[fields[1]]; got != want || !known {
			t.Errorf("%s: got %d, %v", lines.Text(), got, known)
		}
	}
	if compared < 5 {
		t.Errorf("compared only %d vectors", compared)
	}
}

// versionOf returns [epoch:]version-release of a package's full name.
func versionOf(name string) string {
	for _, arch := range []string{".noarch", ".aarch64", ".riscv"} {
		name = strings.TrimSuffix(name, arch)
	}
	parts := strings.Split(name, "-")
	return strings.Join(parts[max(0, len(parts)-2):], "-")
}

func sameButVersion(a, b string) bool {
	return strings.Replace(a, versionOf(a), "", 1) == strings.Replace(b, versionOf(b), "", 1)
}

func moduleRoot(t *testing.T) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for dir != filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir
		}
		dir = filepath.Dir(dir)
	}
	t.Fatal("no go.mod above the test")
	return ""
}

func FuzzCompareVersions(f *testing.F) {
	f.Add("dpkg", "1:5.2.15-2+b7", "5.2~rc1")
	f.Add("rpm", "4.18.0-1.fc39", "1.0^git1-1")
	f.Add("apk", "1.2.3_rc1-r0", "1.2.3-r0")
	f.Fuzz(func(t *testing.T, source, a, b string) {
		order, known := CompareVersions(source, a, b)
		back, alsoKnown := CompareVersions(source, b, a)
		if known != alsoKnown {
			t.Errorf("known one way only: %q %q", a, b)
		}
		if self, _ := CompareVersions(source, a, a); self != 0 {
			t.Errorf("%q is not equal to itself", a)
		}
		if order < -1 || order > 1 || back < -1 || back > 1 {
			t.Errorf("%q %q: %d, %d", a, b, order, back)
		}
	})
}
