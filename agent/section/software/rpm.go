package software

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"time"

	"github.com/musterhq/muster/agent/host"
	"github.com/musterhq/muster/agent/section/software/rpmdb"
	"github.com/musterhq/muster/agent/section/software/sqlitefile"
)

// rpmDirs are the places of rpm's database, the newest first; on most systems some are links to another. rpm has one
// database, so the first one that is there is it.
var rpmDirs = []string{"/usr/lib/sysimage/rpm", "/var/lib/rpm", "/usr/share/rpm"}

// rpmFormat is one of the formats that the database has had.
type rpmFormat struct {
	file    string
	headers func(h *host.Host, name string, f io.ReaderAt, size int64) iter.Seq2[[]byte, error]
}

// rpmFormats lists them, the newest first: an older one beside it was left behind by a conversion.
func rpmFormats() []rpmFormat {
	return []rpmFormat{
		{file: "rpmdb.sqlite", headers: sqliteHeaders},
		{file: "Packages.db", headers: func(_ *host.Host, _ string, f io.ReaderAt, size int64) iter.Seq2[[]byte, error] {
			return rpmdb.NDB(f, size)
		}},
		{file: "Packages", headers: func(_ *host.Host, _ string, f io.ReaderAt, size int64) iter.Seq2[[]byte, error] {
			return rpmdb.BerkeleyDB(f, size)
		}},
	}
}

// collectRPM lists what `rpm -qa` lists, the keys that packages are checked with (gpg-pubkey) included: rpm counts
// them among its packages, and which keys a machine trusts is worth knowing.
func collectRPM(ctx context.Context, h *host.Host, l *list) error {
	for _, dir := range rpmDirs {
		for _, format := range rpmFormats() {
			name := dir + "/" + format.file
			if !exists(h, name) {
				continue
			}
			return l.steady(h, []string{name, name + logSuffix}, func() error {
				return readRPM(ctx, h, l, name, format)
			})
		}
	}
	return errAbsent
}

func readRPM(ctx context.Context, h *host.Host, l *list, name string, format rpmFormat) error {
	f, size, err := openRegular(h, name)
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }()
	var broken damage
	var version []byte
	for header, err := range format.headers(h, name, f, size) {
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
	return broken.err("broken parts of " + name)
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

// What SQLite writes beside a database: the write-ahead log, or the journal to roll an unfinished transaction back.
const (
	logSuffix     = "-wal"
	journalSuffix = "-journal"
)

// journalMagic begins a journal that is to be rolled back (https://www.sqlite.org/fileformat2.html, §3).
const journalMagic = "\xd9\xd5\x05\xf9\x20\xa1\x63\xd7"

func sqliteHeaders(h *host.Host, name string, f io.ReaderAt, size int64) iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		var wal io.ReaderAt
		file, walSize, err := openRegular(h, name+logSuffix)
		switch {
		case err == nil:
			defer func() { _ = file.Close() }()
			wal = file
		case !errors.Is(err, fs.ErrNotExist):
			yield(nil, err)
			return
		}
		if err := rolledBack(h, name+journalSuffix); err != nil && !yield(nil, err) {
			return
		}
		db, err := sqlitefile.Open(f, size, wal, walSize)
		if err != nil {
			yield(nil, err)
			return
		}
		rpmdb.SQLite(db)(yield)
	}
}

// rolledBack says whether the database is what its last transaction left: no journal is waiting.
func rolledBack(h *host.Host, journal string) error {
	f, _, err := openRegular(h, journal)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }()
	head := make([]byte, len(journalMagic))
	if _, err := f.ReadAt(head, 0); err == nil && string(head) == journalMagic {
		return fmt.Errorf("a transaction is under way or was broken off: %s", journal)
	}
	return nil
}
