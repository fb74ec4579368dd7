package software

import (
	"bytes"
	"database/sql"
	"maps"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	_ "modernc.org/sqlite" // makes databases as rpm does

	"github.com/musterhq/muster/agent/section/software/rpmdb"
)

// TestRPMSQLite converts recorded databases as `rpm --rebuilddb` does, and reads them during the
// conversion: committed data is only in the write-ahead log, and a transaction is open. Reading
// must not change anything in the directory.
func TestRPMSQLite(t *testing.T) {
	t.Parallel()
	for _, dir := range corpus(t, "rpmdb") {
		root := t.TempDir()
		name := filepath.Join(root, rpmDirs[0], "rpmdb.sqlite")
		if err := os.MkdirAll(filepath.Dir(name), 0o750); err != nil {
			t.Fatal(err)
		}
		convertRPM(t, dir, name)
		before := contents(t, filepath.Dir(name))
		items, err := inventory(t, root)
		if err != nil {
			t.Errorf("%s: %v", filepath.Base(dir), err)
		}
		want, err := inventory(t, rpmTree(t, dir, rpmDirs[0]))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(briefs(want), briefs(items)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", filepath.Base(dir), diff)
		}
		if !maps.Equal(before, contents(t, filepath.Dir(name))) {
			t.Errorf("%s: reading changed the files", filepath.Base(dir))
		}
	}
}

func convertRPM(t *testing.T, dir, name string) {
	t.Helper()
	db, err := sql.Open("sqlite", name)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	db.SetMaxOpenConns(1)
	run := func(statement string, args ...any) {
		t.Helper()
		if _, err := db.ExecContext(t.Context(), statement, args...); err != nil {
			t.Fatal(err)
		}
	}
	run("pragma journal_mode = wal")
	run("pragma wal_autocheckpoint = 0")
	run("create table if not exists 'Packages' (hnum integer primary key autoincrement, blob blob not null)")
	file, data := recordedRPM(t, dir)
	headers := rpmdb.BerkeleyDB(bytes.NewReader(data), int64(len(data)))
	if file == "Packages.db" {
		headers = rpmdb.NDB(bytes.NewReader(data), int64(len(data)))
	}
	for header, err := range headers {
		if err != nil {
			t.Fatal(err)
		}
		run("insert into Packages (blob) values (?)", header)
	}
	run("begin")
	run("delete from Packages")
}

// emptyRPM makes a database as a query does where there is none.
func emptyRPM(t *testing.T, name string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o750); err != nil {
		t.Fatal(err)
	}
	db, err := sql.Open("sqlite", name)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	const table = "create table 'Packages' (hnum integer primary key autoincrement, blob blob not null)"
	if _, err := db.ExecContext(t.Context(), table); err != nil {
		t.Fatal(err)
	}
}

func contents(t *testing.T, dir string) map[string]string {
	t.Helper()
	files, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, file := range files {
		data, err := os.ReadFile(filepath.Join(dir, file.Name()))
		if err != nil {
			t.Fatal(err)
		}
		got[file.Name()] = string(data)
	}
	return got
}
