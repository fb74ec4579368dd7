package importer

import (
	"math"
	"strconv"
	"strings"
	"time"

	"google.golang.org/protobuf/proto"
)

// The units of sizes. Agents give memory and file systems in mebibytes, and disks as their makers do: in units of a
// million bytes (a disk of 512,110,190,592 bytes is 512110).
const (
	mebibyte = 1 << 20
	megabyte = 1_000_000
)

// unknown are the words by which the formats say that they do not know.
var unknown = map[string]bool{"": true, "n/a": true, "unknown": true, "not specified": true, "none": true}

// size reads a size in bytes, given in a unit: "7908", "274877.906944", "4194MB". It is nil for 0, which stands for what
// is not known, and for what is no number, which gets a warning.
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

// count reads a number, behind which a unit may stand: "1600 MT/s". It is nil for 0.
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
		m.warnf(n, "%s %q is no number: it is left out", field, text)
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

// flag reads a truth value: JSON's, or XML's 1 and 0.
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

// day reads the date of a time that begins with year, month and day; what follows is left out, for no time zone is
// given with it.
func day(text string) (time.Time, bool) {
	if len(text) > 10 && text[10] != ' ' && text[10] != 'T' || len(text) < 10 {
		return time.Time{}, false
	}
	at, err := time.Parse(time.DateOnly, strings.ReplaceAll(text[:10], "/", "-"))
	return at, err == nil
}

// moment reads a time whose zone is told, by itself or by an offset such as "+0200".
func moment(text, offset string) (time.Time, bool) {
	for _, layout := range []string{"2006-01-02 15:04:05-0700", "2006-01-02T15:04:05-0700", "2006-01-02T15:04:05Z07:00", "2006-01-02 15:04:05Z07:00"} {
		if at, err := time.Parse(layout, text); err == nil {
			return at, true
		}
		if at, err := time.Parse(layout, text+offset); err == nil {
			return at, true
		}
	}
	return time.Time{}, false
}

// dayOfList reads dates as day/month/year or month/day/year: which of them it is must be plain from the whole list.
type dayOfList struct{ layout string }

// orderOfDays finds out the order by dates of which only one reading exists. Where they disagree, or none is there, no
// such date is read.
func orderOfDays(texts []string) dayOfList {
	dayFirst, monthFirst := false, false
	for _, text := range texts {
		a, b, ok := twoNumbers(text)
		dayFirst = dayFirst || ok && a > 12 && b <= 12
		monthFirst = monthFirst || ok && b > 12 && a <= 12
	}
	switch {
	case dayFirst && !monthFirst:
		return dayOfList{"2/1/2006"}
	case monthFirst && !dayFirst:
		return dayOfList{"1/2/2006"}
	default:
		return dayOfList{}
	}
}

func twoNumbers(text string) (first, second int, ok bool) {
	parts := strings.Split(text, "/")
	if len(parts) != 3 || len(parts[2]) != 4 {
		return 0, 0, false
	}
	first, err := strconv.Atoi(parts[0])
	if err != nil {
		return 0, 0, false
	}
	second, err = strconv.Atoi(parts[1])
	return first, second, err == nil
}

func (l dayOfList) day(text string) (time.Time, bool) {
	if at, ok := day(text); ok {
		return at, true
	}
	a, b, ok := twoNumbers(text)
	if !ok {
		return time.Time{}, false
	}
	layout := l.layout
	if layout == "" && a == b {
		layout = "2/1/2006"
	}
	at, err := time.Parse(layout, text)
	return at, err == nil && layout != ""
}
