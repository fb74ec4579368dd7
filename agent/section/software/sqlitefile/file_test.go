package sqlitefile

import (
	"bytes"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	_ "modernc.org/sqlite" // the real SQLite, for comparison
	"pgregory.net/rapid"
)

// open opens a database with its log, if it has one.
func open(t testing.TB, name string) *File {
	t.Helper()
	db, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	wal, err := os.ReadFile(name + "-wal")
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		t.Fatal(err)
	}
	f, err := Open(bytes.NewReader(db), int64(len(db)), bytes.NewReader(wal), int64(len(wal)))
	if err != nil {
		t.Fatal(err)
	}
	return f
}

type content struct {
	ID     int64
	Blob   string
	Number int64
	Text   string
}

func read(t testing.TB, f *File, table string) (got []content) {
	t.Helper()
	for row, err := range f.Table(table) {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, content{row.ID, string(row.Bytes(1)), row.Int(2), string(row.Bytes(3))})
	}
	return got
}

func query(t testing.TB, db *sql.DB, table string) (want []content) {
	t.Helper()
	rows, err := db.QueryContext(t.Context(), "select id, blob, number, text from "+table+" order by id")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var c content
		if err := rows.Scan(&c.ID, &c.Blob, &c.Number, &c.Text); err != nil {
			t.Fatal(err)
		}
		want = append(want, c)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return want
}

// database makes a database with SQLite, on one connection, so that pragmas and transactions apply.
func database(t testing.TB, name string, statements ...string) *sql.DB {
	t.Helper()
	db, err := sql.Open("sqlite", name)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	db.SetMaxOpenConns(1)
	run(t, db, statements...)
	return db
}

func run(t testing.TB, db *sql.DB, statements ...string) {
	t.Helper()
	for _, statement := range statements {
		if _, err := db.ExecContext(t.Context(), statement); err != nil {
			t.Fatalf("%s: %v", statement, err)
		}
	}
}

// fill returns a statement for rows of all sizes, from nothing to several pages.
func fill(from, to, size int) string {
	return fmt.Sprintf(`with recursive n(i) as (select %d union all select i+1 from n where i < %d)
		insert into "Things" (id, blob, number, text)
		select i*7, randomblob((i*i*31) %% %d + 1), case i%%5 when 0 then 0 when 1 then 1 when 2 then -i*i*i when 3 then i<<40 else i end, 'é'||i from n`,
		from, to, size)
}

const table = `create table "Things" (id integer primary key autoincrement, blob blob not null, number, text text)`

// TestAsSQLite compares with SQLite: every page size, without a log, and with logs of several
// transactions, of an uncommitted transaction, and after a restart of the log.
func TestAsSQLite(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		name := filepath.Join(t.TempDir(), "db")
		pageSize := 512 << rapid.IntRange(0, 7).Draw(rt, "page size")
		journal := rapid.SampledFrom([]string{"delete", "wal"}).Draw(rt, "journal")
		size := rapid.IntRange(1, 2*4096).Draw(rt, "size")
		rows := rapid.IntRange(0, 80).Draw(rt, "rows")
		db := database(t, name, fmt.Sprintf("pragma page_size = %d", pageSize), "pragma auto_vacuum = "+rapid.SampledFrom([]string{"none", "full"}).Draw(rt, "vacuum"),
			"pragma journal_mode = "+journal, "pragma wal_autocheckpoint = 0", "pragma synchronous = off", "create table other (x)", table)
		if rows > 0 {
			run(t, db, fill(1, rows, size), "delete from things where id % 3 = 0", "update things set blob = zeroblob(3000) where id % 4 = 0")
		}
		if rapid.Bool().Draw(rt, "checkpoint") {
			run(t, db, "pragma wal_checkpoint(restart)", fill(1000, 1010, size), "delete from things where id % 5 = 0")
		}
		want := query(t, db, "things")
		if journal == "wal" && rapid.Bool().Draw(rt, "open transaction") {
			run(t, db, "pragma cache_size = 1", "begin", fill(2000, 2040, size))
		}
		if diff := cmp.Diff(want, read(t, open(t, name), "THINGS")); diff != "" {
			rt.Errorf("(-want +got):\n%s", diff)
		}
	})
}

func TestNoTable(t *testing.T) {
	t.Parallel()
	name := filepath.Join(t.TempDir(), "db")
	database(t, name, "create table a (x)", "create index things on a (x)")
	for _, err := range open(t, name).Table("things") {
		if !errors.Is(err, ErrFormat) {
			t.Errorf("error = %v", err)
		}
	}
}

func TestNotADatabase(t *testing.T) {
	t.Parallel()
	name := filepath.Join(t.TempDir(), "db")
	database(t, name, "pragma encoding = 'UTF-16le'", table)
	utf16, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	for _, data := range [][]byte{nil, []byte(magic), make([]byte, 4096), utf16} {
		if f, err := Open(bytes.NewReader(data), int64(len(data)), nil, 0); err == nil {
			t.Errorf("%d bytes: %+v", len(data), f)
		}
	}
}

// FuzzDatabase: reading ends, for any bytes.
func FuzzDatabase(f *testing.F) {
	name := filepath.Join(f.TempDir(), "db")
	db := database(f, name, "pragma page_size = 512", "pragma journal_mode = wal", "pragma wal_autocheckpoint = 0", table, fill(1, 30, 2000),
		"pragma wal_checkpoint(restart)", fill(50, 60, 2000))
	want := len(query(f, db, "things"))
	data, err := os.ReadFile(name)
	if err != nil {
		f.Fatal(err)
	}
	wal, err := os.ReadFile(name + "-wal")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(data, wal, 0, byte(0))
	f.Add(data, []byte{}, 1000, byte(1))
	f.Fuzz(func(t *testing.T, data, wal []byte, at int, flip byte) {
		if at >= 0 && at < len(data) {
			data = bytes.Clone(data)
			data[at] ^= flip
		}
		file, err := Open(bytes.NewReader(data), int64(len(data)), bytes.NewReader(wal), int64(len(wal)))
		if err != nil {
			return
		}
		rows := 0
		for row, err := range file.Table("things") {
			if err == nil {
				rows++
				_ = row.Bytes(1)
				_ = row.Int(2)
			}
		}
		if limit := max(want, len(data)+len(wal)); rows > limit {
			t.Errorf("%d rows in %d bytes", rows, limit)
		}
	})
}
