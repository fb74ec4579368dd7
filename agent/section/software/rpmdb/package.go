// Package rpmdb reads the package databases of rpm: Berkeley DB ("Packages"), ndb ("Packages.db")
// and SQLite ("rpmdb.sqlite"), and the package headers in them. It never runs rpm, takes no lock
// and writes nothing. Its memory is bounded by the size of one header. It accepts any input: a
// broken database returns errors, never a panic, an endless loop or an allocation larger than the
// file. Start reading at BerkeleyDB and ParseHeader.
package rpmdb

import (
	"encoding/binary"
	"errors"
	"fmt"
	"strconv"
)

// ErrFormat reports that a database or a header does not have rpm's format.
var ErrFormat = errors.New("malformed rpm database")

// MaxHeader bounds the length of a header, in bytes, as rpm does (HEADER_DATA_MAX in lib/header.c).
const MaxHeader = 256 << 20

// Package is the content of a header. The byte slices are parts of the header; nil means absent.
type Package struct {
	Name, Version, Release, Arch, Vendor []byte
	Epoch                                uint32
	HasEpoch                             bool // distinguishes a written epoch of 0 from none
	SizeBytes                            uint64
	HasSize                              bool
	InstallTime                          int64 // seconds since 1970; 0 if unknown
}

// AppendEVR appends the version as rpm prints %{EVR}: [epoch:]version-release.
func (p *Package) AppendEVR(b []byte) []byte {
	if p.HasEpoch {
		b = append(strconv.AppendUint(b, uint64(p.Epoch), 10), ':')
	}
	b = append(b, p.Version...)
	if len(p.Release) > 0 {
		b = append(append(b, '-'), p.Release...)
	}
	return b
}

// The tags that are read (rpm's include/rpm/rpmtag.h).
const (
	tagName        = 1000
	tagVersion     = 1001
	tagRelease     = 1002
	tagEpoch       = 1003
	tagInstallTime = 1008
	tagSize        = 1009
	tagVendor      = 1011
	tagArch        = 1022
	tagLongSize    = 5009 // instead of tagSize, for sizes above 32 bits
)

// The types of tags (rpm's include/rpm/rpmtypes.h).
const (
	typeInt32      = 4
	typeInt64      = 5
	typeString     = 6
	typeStrings    = 8
	typeI18NString = 9
)

// A header consists of two lengths, an index with that many entries, and the data of the entries,
// all big-endian (rpm's docs/manual/hregions.md and format_header.md). Entries that were added at
// installation follow the region of the package's own entries and override them.
const (
	introLength = 8
	entryLength = 16
)

// ParseHeader reads a package header.
func ParseHeader(header []byte) (Package, error) {
	var p Package
	if len(header) < introLength {
		return p, fmt.Errorf("%w: header of %d bytes", ErrFormat, len(header))
	}
	entries, length := uint64(binary.BigEndian.Uint32(header)), uint64(binary.BigEndian.Uint32(header[4:]))
	if introLength+entries*entryLength+length > uint64(len(header)) {
		return p, fmt.Errorf("%w: header is truncated after %d bytes", ErrFormat, len(header))
	}
	index := header[introLength : introLength+entries*entryLength]
	data := header[introLength+len(index):][:length]
	for ; len(index) > 0; index = index[entryLength:] {
		p.set(binary.BigEndian.Uint32(index), entry{
			kind:   binary.BigEndian.Uint32(index[4:]),
			offset: binary.BigEndian.Uint32(index[8:]),
			data:   data,
		})
	}
	if len(p.Name) == 0 {
		return p, fmt.Errorf("%w: header without a name", ErrFormat)
	}
	return p, nil
}

func (p *Package) set(tag uint32, e entry) {
	switch tag {
	case tagName:
		p.Name = e.text()
	case tagVersion:
		p.Version = e.text()
	case tagRelease:
		p.Release = e.text()
	case tagArch:
		p.Arch = e.text()
	case tagVendor:
		p.Vendor = e.text()
	case tagEpoch:
		epoch, ok := e.number()
		p.Epoch, p.HasEpoch = uint32(epoch), ok //nolint:gosec // the tag has 32 bits
	case tagSize:
		if size, ok := e.number(); ok && !p.HasSize {
			p.SizeBytes, p.HasSize = size, true
		}
	case tagLongSize:
		p.SizeBytes, p.HasSize = e.number()
	case tagInstallTime:
		seconds, _ := e.number()
		p.InstallTime = int64(min(seconds, 1<<62))
	}
}
