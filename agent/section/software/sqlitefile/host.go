package sqlitefile

import (
	"errors"
	"fmt"
	"io"
	"io/fs"

	"github.com/musterhq/muster/agent/host"
)

// The suffixes of the files that SQLite keeps next to a database: the write-ahead log, and the
// journal that can roll back an unfinished transaction.
const (
	LogSuffix     = "-wal"
	JournalSuffix = "-journal"
)

// journalMagic starts a journal that must be rolled back (§3).
const journalMagic = "\xd9\xd5\x05\xf9\x20\xa1\x63\xd7"

// ErrUnfinished reports that the database contains part of a transaction that is in progress or was
// interrupted.
var ErrUnfinished = errors.New("a transaction is in progress or was interrupted")

// OpenOn opens a database of the host with its write-ahead log. It returns ErrUnfinished together
// with a database that can be read. The caller calls closeFiles, also after an error.
func OpenOn(h *host.Host, name string) (db *File, closeFiles func(), err error) {
	var open []io.Closer
	closeFiles = func() {
		for _, f := range open {
			_ = f.Close()
		}
	}
	file, size, err := h.OpenRegular(name)
	if err != nil {
		return nil, closeFiles, err
	}
	open = append(open, file)
	var wal io.ReaderAt
	walFile, walSize, err := h.OpenRegular(name + LogSuffix)
	switch {
	case err == nil:
		open = append(open, walFile)
		wal = walFile
	case !errors.Is(err, fs.ErrNotExist):
		return nil, closeFiles, err
	}
	unfinished := rolledBack(h, name+JournalSuffix)
	db, err = Open(file, size, wal, walSize)
	return db, closeFiles, errors.Join(err, unfinished)
}

// rolledBack returns an error if a journal shows that the database contains an unfinished
// transaction.
func rolledBack(h *host.Host, journal string) error {
	f, _, err := h.OpenRegular(journal)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }()
	head := make([]byte, len(journalMagic))
	if _, err := f.ReadAt(head, 0); err == nil && string(head) == journalMagic {
		return fmt.Errorf("%w: %s", ErrUnfinished, journal)
	}
	return nil
}
