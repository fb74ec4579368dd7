package user

import (
	"bytes"
	"encoding/binary"
	"time"
)

// The types of records that are read (utmp(5)).
const (
	runLevel    = 1
	bootTime    = 2
	userProcess = 7
	deadProcess = 8
)

// record is one record of wtmp.
type record struct {
	kind int
	line string // the terminal, without /dev
	user string
	host string
	at   time.Time
	// cut reports that the user's name fills its field and may be truncated.
	cut bool
}

// layout is the layout of a record in the C library of one architecture (glibc bits/utmp.h). The
// fields up to the host have the same offsets; session and time have 32 or 64 bits. Numbers are
// little-endian.
type layout struct {
	size    int
	seconds func(record []byte) int64
}

// layouts are those of x86, which kept the 32-bit one, and of 64-bit Arm.
var layouts = []layout{
	{384, func(r []byte) int64 { return int64(binary.LittleEndian.Uint32(r[340:])) }},
	{400, func(r []byte) int64 { return int64(binary.LittleEndian.Uint64(r[344:])) }},
}

// alignment is the least common multiple of the record sizes, in bytes.
const alignment = 9600

// parse reads records in the layout in which more of them are valid. The file does not declare its
// layout, and it may come from another machine. data begins at a multiple of alignment.
func parse(data []byte) []record {
	var best []record
	for _, l := range layouts {
		if records := l.parse(data); len(records) > len(best) {
			best = records
		}
	}
	return best
}

func (l layout) parse(data []byte) []record {
	var records []record
	for ; len(data) >= l.size; data = data[l.size:] {
		if r, ok := l.record(data[:l.size]); ok {
			records = append(records, r)
		}
	}
	return records
}

// maxSeconds is the maximum of the unsigned 32-bit time of the older layout, in the year 2106.
const maxSeconds = 1<<32 - 1

// record reads one record. ok is false if it has another type or is invalid.
func (l layout) record(b []byte) (record, bool) {
	r := record{kind: int(binary.LittleEndian.Uint16(b))}
	seconds := l.seconds(b)
	if r.kind != runLevel && r.kind != bootTime && r.kind != userProcess && r.kind != deadProcess ||
		seconds <= 0 || seconds > maxSeconds {
		return record{}, false
	}
	r.at = time.Unix(seconds, 0)
	r.line, _ = text(b[8:40])
	r.user, r.cut = text(b[44:76])
	r.host, _ = text(b[76:332])
	return r, true
}

// text reads a field padded with NULs. full reports that it has none and may be truncated.
func text(field []byte) (value string, full bool) {
	before, _, ended := bytes.Cut(field, []byte{0})
	return string(before), !ended
}
