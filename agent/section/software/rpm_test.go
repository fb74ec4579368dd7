package software

import (
	"encoding/binary"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/musterhq/muster/agent/section/hosttest"
	"github.com/musterhq/muster/agent/section/software/sqlitefile"
	inventoryv1 "github.com/musterhq/muster/proto/muster/inventory/v1"
)

// recordedRPM reads a recorded database in the only format in its directory.
func recordedRPM(t testing.TB, dir string) (file string, data []byte) {
	t.Helper()
	for _, format := range rpmFormats() {
		if data, err := os.ReadFile(filepath.Join(dir, format.file)); err == nil {
			return format.file, data
		}
	}
	t.Fatalf("no rpm database in %s", dir)
	return "", nil
}

// TestRPMDamage flips bits of recorded databases, most of them in structural parts. Reading must
// end without a panic and without packages that have no name.
func TestRPMDamage(t *testing.T) {
	t.Parallel()
	for _, dir := range corpus(t, "rpmdb") {
		file, whole := recordedRPM(t, dir)
		root := t.TempDir()
		rapid.Check(t, func(rt *rapid.T) {
			data := append([]byte(nil), whole...)
			for range rapid.IntRange(1, 8).Draw(rt, "bits") {
				page := rapid.IntRange(0, len(data)/4096-1).Draw(rt, "page")
				at := page*4096 + rapid.OneOf(rapid.IntRange(0, 40), rapid.IntRange(0, 4095)).Draw(rt, "at")
				data[at] ^= 1 << rapid.IntRange(0, 7).Draw(rt, "bit")
			}
			write(t, root, rpmDirs[0]+"/"+file, string(data))
			items, _ := inventory(t, root)
			for _, item := range items {
				if item.GetName() == "" {
					rt.Errorf("a package without a name: %v", item)
				}
			}
		})
	}
}

// TestRPMCutOff truncates databases: the list is complete (the end of an ndb file may be free
// space) or reported as incomplete.
func TestRPMCutOff(t *testing.T) {
	t.Parallel()
	for _, dir := range corpus(t, "rpmdb") {
		file, whole := recordedRPM(t, dir)
		want := len(readExpected(t, dir))
		root := t.TempDir()
		for i := range 20 {
			write(t, root, rpmDirs[0]+"/"+file, string(whole[:len(whole)*i/20]))
			if items, err := inventory(t, root); err == nil && len(items) < want {
				t.Errorf("%s cut off at %d/20: %d packages of %d and no error", filepath.Base(dir), i, len(items), want)
			}
		}
	}
}

// TestRPMLostPage clears pages of a Berkeley DB that contain packages. The count in its meta page
// reveals the loss.
func TestRPMLostPage(t *testing.T) {
	t.Parallel()
	for _, dir := range corpus(t, "rpmdb") {
		file, data := recordedRPM(t, dir)
		if file != "Packages" {
			continue
		}
		size := int(binary.LittleEndian.Uint32(data[20:]))
		for page := size; page < len(data); page += size {
			if data[page+25] == 13 || data[page+25] == 2 {
				clear(data[page : page+size])
			}
		}
		root := t.TempDir()
		write(t, root, rpmDirs[1]+"/"+file, string(data))
		items, err := inventory(t, root)
		if len(items) > 0 || !strings.Contains(errorText(err), "0 records of 2") {
			t.Errorf("%s: items = %v, error = %v", filepath.Base(dir), items, err)
		}
	}
}

// TestRPMFirstDatabase: links between the directories of the database do not duplicate it, and a
// newer format hides an older one.
func TestRPMFirstDatabase(t *testing.T) {
	t.Parallel()
	dirs := corpus(t, "rpmdb")
	root := rpmTree(t, dirs[0], rpmDirs[0])
	if err := os.MkdirAll(filepath.Join(root, "var/lib"), 0o750); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("../.."+rpmDirs[0], filepath.Join(root, rpmDirs[1])); err != nil {
		t.Skip(err)
	}
	items, err := inventory(t, root)
	if want := len(readExpected(t, dirs[0])); err != nil || len(items) != want {
		t.Errorf("%d packages, error %v; want %d", len(items), err, want)
	}
	// Written later, too: only then it is the one in use.
	write(t, root, rpmDirs[0]+"/rpmdb.sqlite", "not a database, but the one that rpm would use: "+strings.Repeat("-", 100))
	if items, err := inventory(t, root); err == nil || len(items) > 0 {
		t.Errorf("items = %v, error = %v", items, err)
	}
}

func TestRPMUnusable(t *testing.T) {
	t.Parallel()
	for _, file := range []string{"rpmdb.sqlite", "Packages.db", "Packages"} {
		for _, content := range []string{"", "x", strings.Repeat("\x00", 8192)} {
			root := t.TempDir()
			write(t, root, rpmDirs[1]+"/"+file, content)
			if items, err := inventory(t, root); err == nil || len(items) > 0 {
				t.Errorf("%s of %d bytes: items = %v, error = %v", file, len(content), items, err)
			}
		}
		root := t.TempDir()
		write(t, root, rpmDirs[1]+"/"+file+"/is a directory", "")
		if _, err := inventory(t, root); !strings.Contains(errorText(err), "not a regular file") {
			t.Errorf("%s: error = %v", file, err)
		}
	}
}

func TestRPMWaitingJournal(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	name := rpmDirs[0] + "/rpmdb.sqlite"
	write(t, root, name, "")
	write(t, root, name+sqlitefile.JournalSuffix, "\xd9\xd5\x05\xf9\x20\xa1\x63\xd7\x00\x00\x00\x01")
	if _, err := inventory(t, root); !strings.Contains(errorText(err), "a transaction is in progress") {
		t.Errorf("error = %v", err)
	}
	write(t, root, name+sqlitefile.JournalSuffix, strings.Repeat("\x00", 512)) // as PRAGMA journal_mode=persist leaves it
	if _, err := inventory(t, root); strings.Contains(errorText(err), "a transaction is in progress") {
		t.Errorf("error = %v", err)
	}
}

func TestSources(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	if _, err := inventory(t, root); !strings.Contains(errorText(err), "no package database found: not supported") {
		t.Errorf("error of an empty tree = %v", err)
	}
	write(t, root, apkDatabases[0], "P:busybox\nV:1.36.1-r15\nA:x86_64\nA2:x\nI:921600\nm:Sören <s@example.org>\nF:bin\nR:busybox\na:0:0:755\nZ:Q1\nM:0:0:755\n\n")
	write(t, root, rpmDirs[0]+"/Packages", "broken")
	write(t, root, dpkgStatus, paragraph("a", "all", "1", "install ok installed"))
	items, err := inventory(t, root)
	if diff := cmp.Diff([]string{"a:all 1", "busybox:x86_64 1.36.1-r15"}, versions(items)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if got := errorText(err); !strings.HasPrefix(got, "rpm: 1 broken parts of ") {
		t.Errorf("error = %q", got)
	}
	if got := items[1]; got.GetSizeBytes() != 921600 || got.GetPublisher() != "Sören <s@example.org>" || got.InstallDate != nil {
		t.Errorf("apk item = %v", got)
	}
}

// TestRPMEmptyDatabase: a query made an empty database in the directory that newer systems use.
func TestRPMEmptyDatabase(t *testing.T) {
	t.Parallel()
	messages, err := Collector().Collect(t.Context(), hosttest.Case(t, "rpm-empty-sysimage", "root"))
	if err != nil || len(messages) != 1 || messages[0].(*inventoryv1.Software).Name != "libuuid" {
		t.Errorf("items = %v, error = %v; want libuuid of the database that has packages", messages, err)
	}
}

// TestRPMOnlyEmptyDatabases: without packages in any database the section is never complete, except
// beside the packages of the system's own package manager.
func TestRPMOnlyEmptyDatabases(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	emptyRPM(t, filepath.Join(root, rpmDirs[0], "rpmdb.sqlite"))
	if items, err := inventory(t, root); len(items) > 0 || !strings.Contains(errorText(err), "has no packages") {
		t.Errorf("items = %v, error = %v", items, err)
	}
	write(t, root, dpkgStatus, paragraph("a", "all", "1", "install ok installed"))
	if items, err := inventory(t, root); len(items) != 1 || err != nil {
		t.Errorf("on Debian: items = %v, error = %v", items, err)
	}
}

// TestRPMOlderDatabase: of two databases with packages, the one written last is in use, in whatever
// directory and format it is.
func TestRPMOlderDatabase(t *testing.T) {
	t.Parallel()
	dirs := corpus(t, "rpmdb")
	if len(dirs) < 2 {
		t.Skip("two recorded databases are needed")
	}
	for _, newer := range []int{0, 1} {
		root := t.TempDir()
		for i, dir := range dirs[:2] {
			file, data := recordedRPM(t, dir)
			write(t, root, rpmDirs[i]+"/"+file, string(data))
			at := time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC)
			if i != newer {
				at = at.AddDate(0, -1, 0)
			}
			if err := os.Chtimes(filepath.Join(root, rpmDirs[i], file), at, at); err != nil {
				t.Fatal(err)
			}
		}
		items, err := inventory(t, root)
		if diff := cmp.Diff(sorted(readExpected(t, dirs[newer])), briefs(items)); diff != "" || err != nil {
			t.Errorf("database %d is newer: error %v (-want +got):\n%s", newer, err, diff)
		}
	}
}
