// Package sqlitefile reads the tables of SQLite 3 database files, including the committed part of a
// write-ahead log (https://www.sqlite.org/fileformat2.html). It holds one row in memory at a time.
// It takes no lock, writes nothing, has no SQL and uses no index. A caller that reads a database in
// use must check itself whether the files changed. Start reading at Open and File.Table.
package sqlitefile

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"iter"
	"strings"
)

// File is an open database.
type File struct {
	db       io.ReaderAt
	log      *log // nil if no write-ahead log has a commit
	pageSize int
	usable   int    // bytes of a page without its reserved tail
	pages    uint32 // in the database, including the log
}

// magic starts every database file (§1.3.1).
const magic = "SQLite format 3\x00"

// headerLength is the length of the database header at the start of page 1 (§1.3).
const headerLength = 100

// ErrFormat reports that a file is damaged or is not an SQLite 3 database that this package can
// read.
var ErrFormat = errors.New("not a readable SQLite 3 database")

// Open reads the header of a database of size bytes. wal is its write-ahead log of walSize bytes,
// nil if there is none. The caller closes both files.
func Open(db io.ReaderAt, size int64, wal io.ReaderAt, walSize int64) (*File, error) {
	f := &File{db: db}
	if wal != nil {
		var err error
		if f.log, err = readLog(wal, walSize); err != nil {
			return nil, err
		}
	}
	header := make([]byte, headerLength)
	if err := f.readStart(header); err != nil {
		return nil, err
	}
	if err := f.setHeader(header); err != nil {
		return nil, err
	}
	pages := size / int64(f.pageSize)
	if f.log != nil { // bounded, because the log's page count may be wrong
		pages = min(max(pages, int64(f.log.pages)), pages+int64(len(f.log.frames)))
	}
	f.pages = uint32(min(pages, maxPages)) //nolint:gosec // bounded by min
	return f, nil
}

// maxPages is the highest page number (§1.3.8).
const maxPages = 1<<32 - 2

// readStart reads the first bytes of page 1, which may be in the log only.
func (f *File) readStart(header []byte) error {
	from, offset := f.db, int64(0)
	if f.log != nil {
		if at, ok := f.log.frames[1]; ok {
			from, offset = f.log.file, at
		}
	}
	if _, err := from.ReadAt(header, offset); err != nil {
		return fmt.Errorf("read database header: %w", unexpected(err))
	}
	return nil
}

func (f *File) setHeader(header []byte) error {
	if string(header[:16]) != magic {
		return fmt.Errorf("%w: wrong magic", ErrFormat)
	}
	f.pageSize = int(binary.BigEndian.Uint16(header[16:]))
	if f.pageSize == 1 { // §1.3.2: 65536 does not fit
		f.pageSize = 65536
	}
	if f.pageSize < 512 || f.pageSize&(f.pageSize-1) != 0 {
		return fmt.Errorf("%w: page size %d", ErrFormat, f.pageSize)
	}
	if f.log != nil && f.log.pageSize != f.pageSize {
		return fmt.Errorf("%w: pages of %d bytes, of %d in the log", ErrFormat, f.pageSize, f.log.pageSize)
	}
	f.usable = f.pageSize - int(header[20])
	if f.usable < 480 { // §1.3.4
		return fmt.Errorf("%w: %d usable bytes in a page", ErrFormat, f.usable)
	}
	if encoding := binary.BigEndian.Uint32(header[56:]); encoding > 1 {
		return fmt.Errorf("%w: text encoding %d", ErrFormat, encoding)
	}
	return nil
}

// readPage reads the current content of page n; the first page is 1.
func (f *File) readPage(n uint32, page []byte) error {
	if n == 0 || n > f.pages {
		return fmt.Errorf("%w: page %d of %d", ErrFormat, n, f.pages)
	}
	from, offset := f.db, int64(n-1)*int64(f.pageSize)
	if f.log != nil {
		if at, ok := f.log.frames[n]; ok {
			from, offset = f.log.file, at
		}
	}
	if _, err := from.ReadAt(page, offset); err != nil {
		return fmt.Errorf("read page %d: %w", n, unexpected(err))
	}
	return nil
}

// unexpected converts io.EOF, which here means that the file is truncated.
func unexpected(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

// Table iterates over the rows of a table in the order of their row IDs. A row is valid until the
// next iteration. An unreadable row yields an error in its place, and an unreadable page one error
// for all its rows. The iteration continues after both.
func (f *File) Table(name string) iter.Seq2[Row, error] {
	return func(yield func(Row, error) bool) {
		root, err := f.root(name)
		if err != nil {
			yield(Row{}, err)
			return
		}
		f.rows(root)(yield)
	}
}

// The columns of the schema table, which has its root in page 1 (§2.6).
const (
	schemaRoot       = 1
	schemaType       = 0
	schemaName       = 1
	schemaRootColumn = 3
)

func (f *File) root(table string) (uint32, error) {
	for row, err := range f.rows(schemaRoot) {
		if err != nil {
			return 0, fmt.Errorf("read schema: %w", err)
		}
		if string(row.Bytes(schemaType)) != "table" || !strings.EqualFold(string(row.Bytes(schemaName)), table) {
			continue
		}
		root := row.Int(schemaRootColumn)
		if root < 1 || root > int64(f.pages) {
			return 0, fmt.Errorf("%w: root of table %s in page %d", ErrFormat, table, root)
		}
		return uint32(root), nil //nolint:gosec // just bounded
	}
	return 0, fmt.Errorf("%w: no table %s", ErrFormat, table)
}
