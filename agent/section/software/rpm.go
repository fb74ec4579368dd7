package software

import (
	"context"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"os"
	"slices"
	"time"

	"github.com/musterhq/muster/agent/host"
	"github.com/musterhq/muster/agent/section/software/rpmdb"
	"github.com/musterhq/muster/agent/section/software/sqlitefile"
)

// rpmDirs are the directories of rpm's database, the newest first; on most systems some are links
// to another.
var rpmDirs = []string{"/usr/lib/sysimage/rpm", "/var/lib/rpm", "/usr/share/rpm"}

// rpmFormat is one of the formats of the database.
type rpmFormat struct {
	file    string
	headers func(h *host.Host, name string) iter.Seq2[[]byte, error]
}

// rpmFormats returns the formats, newest first.
func rpmFormats() []rpmFormat {
	return []rpmFormat{
		{file: "rpmdb.sqlite", headers: sqliteHeaders},
		{file: "Packages.db", headers: fromFile(rpmdb.NDB)},
		{file: "Packages", headers: fromFile(rpmdb.BerkeleyDB)},
	}
}

// rpmDatabase is a database that exists.
type rpmDatabase struct {
	rpmFormat
	name    string
	info    fs.FileInfo // nil if the agent may not look it up
	written time.Time   // with its write-ahead log
}

// rpmDatabases returns the databases, each once: the one that was written last first, and among
// those written at the same time, as in an image, the newest directory and format. rpm writes to
// one of them; the others were left by a conversion.
func rpmDatabases(h *host.Host) []rpmDatabase {
	var found []rpmDatabase
	for _, dir := range rpmDirs {
		for _, format := range rpmFormats() {
			db := rpmDatabase{rpmFormat: format, name: dir + "/" + format.file}
			if !exists(h, db.name) {
				continue
			}
			states := states(h, []string{db.name, db.name + sqlitefile.LogSuffix})
			db.info = states[0]
			for _, info := range states {
				if info != nil && info.ModTime().After(db.written) {
					db.written = info.ModTime()
				}
			}
			if !slices.ContainsFunc(found, db.same) {
				found = append(found, db)
			}
		}
	}
	slices.SortStableFunc(found, func(a, b rpmDatabase) int {
		if a.info == nil || b.info == nil {
			return 0
		}
		return b.written.Compare(a.written)
	})
	return found
}

// same reports whether two names are one file.
func (d rpmDatabase) same(other rpmDatabase) bool {
	return d.info != nil && other.info != nil && os.SameFile(d.info, other.info)
}

// collectRPM adds the packages that `rpm -qa` lists. They include the keys that verify packages
// (gpg-pubkey), because rpm lists them as packages and an inventory should show which keys a
// machine trusts.
//
// An empty database is not the machine's: a query with another root or path makes one where there
// was none. If no other database has packages, the list is incomplete, unless another package
// manager has packages: its system can have rpm as a tool.
func collectRPM(ctx context.Context, h *host.Host, l *list) error {
	databases := rpmDatabases(h)
	if len(databases) == 0 {
		return errAbsent
	}
	start := len(l.items)
	for _, db := range databases {
		err := l.readUnlessKept(h, []string{db.name, db.name + sqlitefile.LogSuffix}, func() error {
			return readRPM(ctx, h, l, db)
		})
		if err != nil || len(l.items) > start {
			return err
		}
	}
	if start > 0 {
		return nil
	}
	return fmt.Errorf("%s has no packages", databases[0].name)
}

func readRPM(ctx context.Context, h *host.Host, l *list, db rpmDatabase) error {
	var broken damage
	var version []byte
	for header, err := range db.headers(h, db.name) {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		var p rpmdb.Package
		if err == nil {
			p, err = rpmdb.ParseHeader(header)
		}
		if err != nil {
			broken.add(err)
			continue
		}
		version = p.AppendEVR(version[:0])
		l.add("rpm", purlRPM, foundRPM(p, version))
	}
	return broken.err("broken parts of " + db.name)
}

func foundRPM(p rpmdb.Package, version []byte) found {
	q := found{
		name:      p.Name,
		version:   version,
		arch:      p.Arch,
		publisher: p.Vendor,
		sizeBytes: p.SizeBytes,
		hasSize:   p.HasSize,
	}
	if p.InstallTime > 0 {
		q.installed = time.Unix(p.InstallTime, 0)
	}
	return q
}

func sqliteHeaders(h *host.Host, name string) iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		db, closeFiles, err := sqlitefile.OpenOn(h, name)
		defer closeFiles()
		if err != nil && !yield(nil, err) || db == nil {
			return
		}
		rpmdb.SQLite(db)(yield)
	}
}

// fromFile returns the headers of a database that is a single file.
func fromFile(
	read func(f io.ReaderAt, size int64) iter.Seq2[[]byte, error],
) func(*host.Host, string) iter.Seq2[[]byte, error] {
	return func(h *host.Host, name string) iter.Seq2[[]byte, error] {
		return func(yield func([]byte, error) bool) {
			f, size, err := h.OpenRegular(name)
			if err != nil {
				yield(nil, err)
				return
			}
			defer func() { _ = f.Close() }()
			read(f, size)(yield)
		}
	}
}
