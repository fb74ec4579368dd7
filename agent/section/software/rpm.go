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

// rpmDirs are the directories of rpm's database, the newest first; on most systems some are links
// to another. rpm has a single database, so the first one found is used.
var rpmDirs = []string{"/usr/lib/sysimage/rpm", "/var/lib/rpm", "/usr/share/rpm"}

// rpmFormat is one of the formats of the database.
type rpmFormat struct {
	file    string
	headers func(h *host.Host, name string, f io.ReaderAt, size int64) iter.Seq2[[]byte, error]
}

// rpmFormats returns the formats, newest first. An older file next to a newer one was left by a
// conversion.
func rpmFormats() []rpmFormat {
	return []rpmFormat{
		{file: "rpmdb.sqlite", headers: sqliteHeaders},
		{file: "Packages.db", headers: fromFile(rpmdb.NDB)},
		{file: "Packages", headers: fromFile(rpmdb.BerkeleyDB)},
	}
}

func fromFile(
	read func(f io.ReaderAt, size int64) iter.Seq2[[]byte, error],
) func(*host.Host, string, io.ReaderAt, int64) iter.Seq2[[]byte, error] {
	return func(_ *host.Host, _ string, f io.ReaderAt, size int64) iter.Seq2[[]byte, error] { return read(f, size) }
}

// collectRPM adds the packages that `rpm -qa` lists. They include the keys that verify packages
// (gpg-pubkey), because rpm lists them as packages and an inventory should show which keys a
// machine trusts.
func collectRPM(ctx context.Context, h *host.Host, l *list) error {
	for _, dir := range rpmDirs {
		for _, format := range rpmFormats() {
			name := dir + "/" + format.file
			if !exists(h, name) {
				continue
			}
			return l.readStable(h, []string{name, name + logSuffix}, func() error {
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

// The files of SQLite next to a database: the write-ahead log, and the journal that can roll back
// an unfinished transaction.
const (
	logSuffix     = "-wal"
	journalSuffix = "-journal"
)

// journalMagic starts a journal that must be rolled back (https://www.sqlite.org/fileformat2.html,
// §3).
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

// rolledBack returns an error if a journal shows that the database contains an unfinished
// transaction.
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
		return fmt.Errorf("a transaction is in progress or was interrupted: %s", journal)
	}
	return nil
}
