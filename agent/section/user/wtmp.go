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
	// cut says that the user's name fills its field, so that it may be longer.
	cut bool
}

// layout is how the C library lays a record out on one architecture (glibc bits/utmp.h): the fields up to the host
// stand alike, those of the session and the time are 32 bits wide, or 64. All others are little-endian.
type layout struct {
	size    int
	seconds func(record []byte) int64
}

// layouts are those of x86, which keeps the 32-bit one, and of 64-bit Arm.
var layouts = []layout{
	{384, func(r []byte) int64 { return int64(binary.LittleEndian.Uint32(r[340:])) }},
	{400, func(r []byte) int64 { return int64(binary.LittleEndian.Uint64(r[344:])) }},
}

// alignment is the smallest size that records of each layout fill.
const alignment = 9600

// parse reads records, in the layout in which more of them make sense: the file does not name it, and may come from
// another machine. The bytes begin at a multiple of alignment.
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

// maxSeconds is where the unsigned 32-bit seconds of the older layout end, in the year 2106.
const maxSeconds = 1<<32 - 1

// record reads one record. It is not ok where it is of another type, or not one at all.
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

// text reads a field that NULs fill up, and tells whether none do.
func text(field []byte) (value string, full bool) {
	before, _, ended := bytes.Cut(field, []byte{0})
	return string(before), !ended
}
