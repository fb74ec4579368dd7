package software

import (
	"cmp"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/musterhq/muster/agent/host"
	inventoryv1 "github.com/musterhq/muster/proto/muster/inventory/v1"
)

// corpus returns the recorded databases of a package manager, which are next to the checkout.
func corpus(t testing.TB, name string) []string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			break
		}
		dir = filepath.Dir(dir)
	}
	found, err := filepath.Glob(filepath.Join(dir, "..", "shared", "corpora", "packages", name, "*", "expected.json"))
	if err != nil {
		t.Fatal(err)
	}
	if len(found) == 0 {
		t.Skipf("no recorded %s databases in ../shared/corpora/packages", name)
	}
	for i := range found {
		found[i] = filepath.Dir(found[i])
	}
	return found
}

// expected is the package manager's own output for a database.
type expected struct {
	Packages []struct {
		Name          string  `json:"name"`
		Version       string  `json:"version"`
		Epoch         *string `json:"epoch"`
		Release       string  `json:"release"`
		Arch          string  `json:"arch"`
		Status        string  `json:"status"`
		Maintainer    string  `json:"maintainer"`
		Vendor        string  `json:"vendor"`
		Size          string  `json:"size"`
		InstalledSize string  `json:"installed_size"`
		SizeKiB       string  `json:"installed_size_kib"`
		InstallTime   string  `json:"install_time"`
	} `json:"packages"`
}

// brief is an item in the form of the corpora.
type brief struct {
	Name, Version, Arch, Publisher string
	SizeBytes                      uint64
	Installed                      int64
}

func readExpected(t testing.TB, dir string) (want []brief) {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(dir, "expected.json"))
	if err != nil {
		t.Fatal(err)
	}
	var e expected
	if err := json.Unmarshal(data, &e); err != nil {
		t.Fatal(err)
	}
	for _, p := range e.Packages {
		if p.Status != "" && !strings.HasSuffix(p.Status, " installed") {
			continue // removed except for its configuration: `dpkg-query -W` lists it, but it is not installed
		}
		// dpkg-query writes ${binary:Package}, which includes the architecture of packages that may
		// be installed for several: `libc6:amd64`. The item has separate fields for both.
		name := strings.TrimSuffix(p.Name, ":"+p.Arch)
		b := brief{Name: name, Version: p.Version, Arch: p.Arch, Publisher: cmp.Or(p.Maintainer, p.Vendor)}
		if p.Epoch != nil {
			b.Version = *p.Epoch + ":" + b.Version
		}
		if p.Release != "" {
			b.Version += "-" + p.Release
		}
		if b.Arch == "(none)" {
			b.Arch = "" // a key has no architecture
		}
		b.SizeBytes, _ = strconv.ParseUint(cmp.Or(p.Size, p.InstalledSize), 10, 64)
		if kib, err := strconv.ParseUint(p.SizeKiB, 10, 64); err == nil {
			b.SizeBytes = kib * 1024
		}
		b.Installed, _ = strconv.ParseInt(p.InstallTime, 10, 64)
		want = append(want, b)
	}
	return sorted(want)
}

func briefs(items []*inventoryv1.Software) (got []brief) {
	for _, s := range items {
		got = append(got, brief{s.GetName(), s.GetVersion(), s.GetArch(), s.GetPublisher(), s.GetSizeBytes(), s.GetInstallDate().GetSeconds()})
	}
	return sorted(got)
}

func sorted(b []brief) []brief {
	slices.SortFunc(b, func(a, b brief) int {
		return cmp.Or(strings.Compare(a.Name, b.Name), strings.Compare(a.Version, b.Version), strings.Compare(a.Arch, b.Arch))
	})
	return b
}

// inventory collects a tree as the agent does.
func inventory(t testing.TB, root string) ([]*inventoryv1.Software, error) {
	t.Helper()
	h, err := host.Tree(root)
	if err != nil {
		t.Fatal(err)
	}
	messages, err := Collector().Collect(t.Context(), h)
	items := make([]*inventoryv1.Software, len(messages))
	for i, m := range messages {
		items[i] = m.(*inventoryv1.Software)
	}
	return items, err
}

func TestDpkgCorpus(t *testing.T) {
	t.Parallel()
	for _, dir := range corpus(t, "dpkg") {
		items, err := inventory(t, dir)
		if diff := gocmp.Diff(readExpected(t, dir), briefs(items)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", filepath.Base(dir), diff)
		}
		wantComplete(t, filepath.Join(dir, dpkgStatus), err)
	}
}

// TestAPKCorpus does not compare the publisher, because the corpus does not contain it.
func TestAPKCorpus(t *testing.T) {
	t.Parallel()
	for _, dir := range corpus(t, "apk") {
		items, err := inventory(t, dir)
		got := briefs(items)
		for i := range got {
			got[i].Publisher = ""
		}
		if diff := gocmp.Diff(readExpected(t, dir), got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", filepath.Base(dir), diff)
		}
		wantComplete(t, filepath.Join(dir, apkDatabases[1]), err)
	}
}

// wantComplete checks for a partial section if a recording is only the first part of a real file
// (of dpkg scalibr-valid, of apk scalibr-installed). Such a file lacks the empty line with which
// dpkg and apk end each paragraph, so more may have been cut off.
func wantComplete(t *testing.T, file string, err error) {
	t.Helper()
	data, readErr := os.ReadFile(file)
	if readErr != nil {
		t.Fatal(readErr)
	}
	if complete := strings.HasSuffix(string(data), "\n\n"); complete != (err == nil) {
		t.Errorf("%s: ends with an empty line: %v, error: %v", file, complete, err)
	}
}

// TestRPMCorpus: the corpora contain a database without its directory, and no installation times
// for ndb.
func TestRPMCorpus(t *testing.T) {
	t.Parallel()
	for _, dir := range corpus(t, "rpmdb") {
		for _, place := range rpmDirs {
			items, err := inventory(t, rpmTree(t, dir, place))
			if err != nil {
				t.Errorf("%s in %s: %v", filepath.Base(dir), place, err)
			}
			want, got := readExpected(t, dir), briefs(items)
			for i := range min(len(want), len(got)) {
				if want[i].Installed == 0 {
					got[i].Installed = 0
				}
			}
			if diff := gocmp.Diff(want, got); diff != "" {
				t.Errorf("%s in %s (-want +got):\n%s", filepath.Base(dir), place, diff)
			}
		}
	}
}

// rpmTree makes a machine with a recorded database.
func rpmTree(t testing.TB, recorded, place string) (root string) {
	t.Helper()
	root = t.TempDir()
	for _, format := range rpmFormats() {
		if data, err := os.ReadFile(filepath.Join(recorded, format.file)); err == nil {
			write(t, root, place+"/"+format.file, string(data))
		}
	}
	return root
}

func write(t testing.TB, root, name, content string) {
	t.Helper()
	full := filepath.Join(root, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(full), 0o750); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(full, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}
