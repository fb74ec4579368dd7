package rpmdb

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"iter"
	"slices"
)

// The layout of a Berkeley DB hash file (db-5.3 src/dbinc/db_page.h). Every page begins with the
// same header. The byte order is that of the machine that created the file.
const (
	bdbMetaLength = 92
	bdbMagic      = 0x00061561
	bdbMagicAt    = 12
	bdbPageSizeAt = 20
	bdbCipherAt   = 24
	bdbFlagsAt    = 26 // of the meta page
	bdbLastPageAt = 32
	bdbRecordsAt  = 88

	bdbHeaderLength = 26
	bdbNumberAt     = 8
	bdbNextAt       = 16
	bdbEntriesAt    = 20 // of a hash page: number of keys and values together
	bdbLengthAt     = 22 // of an overflow page: bytes in use
	bdbTypeAt       = 25
)

// The types of pages and of the entries of hash pages.
const (
	bdbUnsortedHash = 2 // before 4.6
	bdbOverflow     = 7
	bdbMeta         = 8
	bdbHash         = 13

	bdbInline  = 1
	bdbOffPage = 3
)

type bdb struct {
	file     io.ReaderAt
	order    binary.ByteOrder
	pageSize int
	lastPage uint32
	left     int64  // bytes that the remaining headers may have: at most the file's size
	records  int    // according to the meta page, including the record with key 0
	seen     int    // found in the hash pages
	page     []byte // a hash page
	overflow []byte // an overflow page
	header   []byte
}

// BerkeleyDB iterates over the package headers of a "Packages" file of size bytes. A header is
// valid until the next iteration. An unreadable header yields an error in its place, and the
// iteration continues if possible.
func BerkeleyDB(file io.ReaderAt, size int64) iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		db, err := openBDB(file, size)
		if err != nil {
			yield(nil, err)
			return
		}
		head := make([]byte, bdbHeaderLength)
		for number := uint32(1); number <= db.lastPage; number++ {
			if _, err := file.ReadAt(head, int64(number)*int64(db.pageSize)); err != nil {
				yield(nil, fmt.Errorf("read page %d of %d: %w", number, db.lastPage, unexpected(err)))
				return
			}
			if t := head[bdbTypeAt]; t != bdbHash && t != bdbUnsortedHash {
				continue
			}
			if !db.hashPage(number, yield) {
				return
			}
		}
		if db.seen < db.records { // detects lost pages
			yield(nil, fmt.Errorf("%w: %d records of %d", ErrFormat, db.seen, db.records))
		}
	}
}

func openBDB(file io.ReaderAt, size int64) (*bdb, error) {
	meta := make([]byte, bdbMetaLength)
	if _, err := file.ReadAt(meta, 0); err != nil {
		return nil, fmt.Errorf("read meta page: %w", unexpected(err))
	}
	db := &bdb{file: file, left: size, order: binary.LittleEndian}
	if binary.BigEndian.Uint32(meta[bdbMagicAt:]) == bdbMagic {
		db.order = binary.BigEndian
	}
	if db.order.Uint32(meta[bdbMagicAt:]) != bdbMagic || meta[bdbTypeAt] != bdbMeta {
		return nil, fmt.Errorf("%w: not a Berkeley DB hash file", ErrFormat)
	}
	if meta[bdbCipherAt] != 0 || meta[bdbFlagsAt]&1 != 0 { // DBMETA_CHKSUM; rpm uses neither
		return nil, fmt.Errorf("%w: encrypted or checksummed pages", ErrFormat)
	}
	pageSize := db.order.Uint32(meta[bdbPageSizeAt:])
	if pageSize < 512 || pageSize > 65536 || pageSize&(pageSize-1) != 0 {
		return nil, fmt.Errorf("%w: page size %d", ErrFormat, pageSize)
	}
	db.pageSize, db.lastPage = int(pageSize), db.order.Uint32(meta[bdbLastPageAt:])
	db.records = int(db.order.Uint32(meta[bdbRecordsAt:]))
	db.page, db.overflow = make([]byte, pageSize), make([]byte, pageSize)
	return db, nil
}

// readPage reads a page and checks that it contains its own number.
func (db *bdb) readPage(number uint32, page []byte) error {
	if _, err := db.file.ReadAt(page, int64(number)*int64(db.pageSize)); err != nil {
		return fmt.Errorf("read page %d: %w", number, unexpected(err))
	}
	if is := db.order.Uint32(page[bdbNumberAt:]); is != number {
		return fmt.Errorf("%w: page %d has the number %d", ErrFormat, number, is)
	}
	return nil
}

// hashPage yields the values of a page: every second entry, after its key.
func (db *bdb) hashPage(number uint32, yield func([]byte, error) bool) bool {
	if err := db.readPage(number, db.page); err != nil {
		return yield(nil, err)
	}
	entries := int(db.order.Uint16(db.page[bdbEntriesAt:]))
	if entries%2 != 0 || bdbHeaderLength+2*entries > db.pageSize {
		return yield(nil, fmt.Errorf("%w: %d entries in page %d", ErrFormat, entries, number))
	}
	for i := 1; i < entries; i += 2 {
		db.seen++
		header, err := db.value(i)
		if err != nil {
			err = fmt.Errorf("page %d: %w", number, err)
		} else if header == nil {
			continue
		}
		if !yield(header, err) {
			return false
		}
	}
	return true
}

// value returns the value at an index of the hash page. Nearly all headers are stored in overflow
// pages. It returns nil for the record with key 0, which is a counter and not a package.
func (db *bdb) value(i int) ([]byte, error) {
	key, err := db.entry(i - 1)
	if err != nil {
		return nil, err
	}
	value, err := db.entry(i)
	switch {
	case err != nil:
		return nil, err
	case value[0] == bdbOffPage && len(value) >= 12:
		return db.chain(db.order.Uint32(value[4:]), db.order.Uint32(value[8:]))
	case value[0] == bdbInline && len(key) == 5 && string(key[1:]) == "\x00\x00\x00\x00":
		return nil, nil
	case value[0] == bdbInline:
		return value[1:], nil
	}
	return nil, fmt.Errorf("%w: entry of type %d", ErrFormat, value[0])
}

// entry returns an entry, starting with its type. Entries are stored from the end of the page
// downwards.
func (db *bdb) entry(i int) ([]byte, error) {
	offset := func(i int) int { return int(db.order.Uint16(db.page[bdbHeaderLength+2*i:])) }
	end := db.pageSize
	if i > 0 {
		end = offset(i - 1)
	}
	start := offset(i)
	if start < bdbHeaderLength || start >= end || end > db.pageSize {
		return nil, fmt.Errorf("%w: entry %d is outside its page", ErrFormat, i)
	}
	return db.page[start:end], nil
}

// chain reads a value of the given length from its overflow pages. Each page adds at least one
// byte, so a cycle of pages ends.
func (db *bdb) chain(number, length uint32) ([]byte, error) {
	if db.left -= int64(length); length > MaxHeader || db.left < 0 {
		return nil, fmt.Errorf("%w: header of %d bytes", ErrFormat, length)
	}
	db.header = slices.Grow(db.header[:0], int(length)+db.pageSize)
	for len(db.header) < int(length) {
		if err := db.readPage(number, db.overflow); err != nil {
			return nil, err
		}
		used := int(db.order.Uint16(db.overflow[bdbLengthAt:]))
		if db.overflow[bdbTypeAt] != bdbOverflow || used == 0 || bdbHeaderLength+used > db.pageSize {
			return nil, fmt.Errorf("%w: page %d is not an overflow page", ErrFormat, number)
		}
		db.header = append(db.header, db.overflow[bdbHeaderLength:bdbHeaderLength+used]...)
		number = db.order.Uint32(db.overflow[bdbNextAt:])
	}
	return db.header[:length], nil
}

// unexpected converts io.EOF, which here means that the file is truncated.
func unexpected(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}
