package importer

import (
	"math"
	"strconv"
	"strings"
	"time"

	"google.golang.org/protobuf/proto"
)

// The units of sizes. Agents report memory and file systems in mebibytes, and disks in units of a
// million bytes, as manufacturers do (a disk of 512,110,190,592 bytes is 512110).
const (
	mebibyte = 1 << 20
	megabyte = 1_000_000
)

// unknown are the values that mean an unknown value in these formats.
var unknown = map[string]bool{"": true, "n/a": true, "unknown": true, "not specified": true, "none": true}

// size reads a size in the given unit, as in "7908", "274877.906944" or "4194MB", and returns
// bytes. It returns nil for 0, which means unknown, and, with a warning, for text that is not a
// number.
func (m *machine) size(n *node, field string, unit float64) *uint64 {
	text := n.get(field)
	number := strings.TrimSpace(strings.TrimSuffix(text, "MB"))
	value, ok := decimal(number)
	if !ok || value*unit >= 1<<62 {
		m.unreadable(n, field, text)
		return nil
	}
	if value == 0 {
		return nil
	}
	return proto.Uint64(uint64(math.Round(value * unit)))
}

// count reads a number that may have a unit: "1600 MT/s". It returns nil for 0, which means
// unknown.
func (m *machine) count(n *node, field string, units ...string) *uint32 {
	text := n.get(field)
	number := text
	for _, unit := range units {
		number = strings.TrimSuffix(number, unit)
	}
	value, err := strconv.ParseUint(strings.TrimSpace(number), 10, 32)
	if err != nil {
		m.unreadable(n, field, text)
		return nil
	}
	if value == 0 {
		return nil
	}
	return proto.Uint32(uint32(value))
}

func (m *machine) unreadable(n *node, field, text string) {
	if !unknown[strings.ToLower(text)] {
		m.warnf(n, "%s %q is not a number; it is ignored", field, text)
	}
}

// decimal reads a number without sign and exponent.
func decimal(text string) (float64, bool) {
	if text == "" || strings.Trim(text, "0123456789.") != "" {
		return 0, false
	}
	value, err := strconv.ParseFloat(text, 64)
	return value, err == nil
}

// flag reads a boolean: true and false in JSON, 1 and 0 in XML. Other text is nil.
func flag(text string) *bool {
	switch strings.ToLower(text) {
	case "1", "true":
		return proto.Bool(true)
	case "0", "false":
		return proto.Bool(false)
	default:
		return nil
	}
}

// day reads the date of a text that begins with year, month and day. It ignores the time of day,
// which has no time zone in these formats.
func day(text string) (time.Time, bool) {
	if len(text) > 10 && text[10] != ' ' && text[10] != 'T' || len(text) < 10 {
		return time.Time{}, false
	}
	at, err := time.Parse(time.DateOnly, strings.ReplaceAll(text[:10], "/", "-"))
	return at, err == nil
}

// timestamp reads a time that has a time zone, or gets it from an offset such as "+0200".
func timestamp(text, offset string) (time.Time, bool) {
	for _, layout := range []string{
		"2006-01-02 15:04:05-0700", "2006-01-02T15:04:05-0700",
		"2006-01-02T15:04:05Z07:00", "2006-01-02 15:04:05Z07:00",
	} {
		if at, err := time.Parse(layout, text); err == nil {
			return at, true
		}
		if at, err := time.Parse(layout, text+offset); err == nil {
			return at, true
		}
	}
	return time.Time{}, false
}
