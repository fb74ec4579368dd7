package software

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/musterhq/muster/agent/host"
	inventoryv1 "github.com/musterhq/muster/proto/muster/inventory/v1"
)

const (
	bash52 = "Package: bash\nStatus: install ok installed\nArchitecture: amd64\nVersion: 5.2\n\n"
	bash53 = "Package: bash\nStatus: install ok installed\nArchitecture: amd64\nVersion: 5.3\n\n"
)

// A database that has not changed is read once. Each change that a package manager can make to it
// is seen, also one that keeps the size and the time of the file.
func TestUnchangedDatabase(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name     string
		file     string // that is written; "": none
		content  string
		replaced bool   // by a file of the same size and time
		want     string // the version; "": the items of the first run are used again
	}{
		{name: "nothing"},
		{name: "replaced", file: dpkgStatus, content: bash53, replaced: true, want: "5.3"},
		{name: "written in place", file: dpkgStatus, content: bash53, want: "5.3"},
		{name: "a running dpkg", file: dpkgUpdates + "/0001", content: bash53, want: "5.3"},
		{name: "a list of files", file: dpkgInfo + "/bash.list", content: "/.\n", want: "5.2"},
		{name: "another release", file: "/etc/os-release", content: "ID=ubuntu\n", want: "5.2"},
		{name: "parts as in an image", file: dpkgParts + "/sh", want: "5.2"},
	}
	remove := func(t *testing.T, root, name string) {
		t.Helper()
		// The old file stays, so that the new one cannot have its inode.
		if err := os.Rename(filepath.Join(root, name), filepath.Join(root, name)+"-old"); err != nil {
			t.Fatal(err)
		}
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			root := t.TempDir()
			h := debian(t, root)
			collector := Collector()
			run := func() proto.Message {
				items, err := collector.Collect(t.Context(), h)
				if err != nil || len(items) != 1 {
					t.Fatalf("%d items, error %v", len(items), err)
				}
				return items[0]
			}
			first := run()
			if test.replaced {
				remove(t, root, test.file)
			}
			if test.file != "" {
				write(t, root, test.file, test.content)
			}
			if test.replaced {
				age(t, root, test.file)
			}
			second := run()
			if isKept := first == second; isKept != (test.want == "") {
				t.Fatalf("kept: %v, want %v", isKept, test.want == "")
			}
			if version := second.(*inventoryv1.Software).GetVersion(); test.want != "" && version != test.want {
				t.Errorf("version %s, want %s", version, test.want)
			}
		})
	}
}

// A database that was changed just before it was read may change again without a trace, so nothing
// of it is kept.
func TestRecentlyChangedDatabase(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	h := debian(t, root)
	if err := os.Chtimes(filepath.Join(root, dpkgStatus), time.Now(), time.Now()); err != nil {
		t.Fatal(err)
	}
	collector := Collector()
	first, err := collector.Collect(t.Context(), h)
	if err != nil {
		t.Fatal(err)
	}
	second, err := collector.Collect(t.Context(), h)
	if err != nil {
		t.Fatal(err)
	}
	if first[0] == second[0] {
		t.Error("the packages were not read again")
	}
}

// debian writes a database that was last changed long ago.
func debian(t *testing.T, root string) *host.Host {
	t.Helper()
	write(t, root, "/etc/os-release", "ID=debian\n")
	write(t, root, dpkgStatus, bash52)
	write(t, root, dpkgInfo+"/format", "1\n")
	write(t, root, dpkgUpdates+"/tmp.i", "")
	for _, name := range []string{dpkgStatus, dpkgInfo, dpkgUpdates} {
		age(t, root, name)
	}
	h, err := host.Tree(root)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func age(t *testing.T, root, name string) {
	t.Helper()
	at := time.Now().Add(-time.Hour).Truncate(time.Hour)
	if err := os.Chtimes(filepath.Join(root, name), at, at); err != nil {
		t.Fatal(err)
	}
}
