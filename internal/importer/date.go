package importer

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"
)

var (
	timeOfDay   = regexp.MustCompile(`(?i)[ T]\d{1,2}:\d\d(:\d\d([.,]\d+)?)?( ?[ap]\.?m\.?)?( ?Z| ?[-+]\d\d:?\d\d)?$`)
	yearFirst   = regexp.MustCompile(`^(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})$`)
	withoutSign = regexp.MustCompile(`^((?:19|20)\d{2})(\d{2})(\d{2})$`)
	yearLast    = regexp.MustCompile(`^(\d{1,2})([-/.])(\d{1,2})([-/.])(\d{4}|\d{2})$`)
)

// namedMonths are the layouts of dates with an English name of the month, in any case.
var namedMonths = []string{
	"2-Jan-2006", "2 Jan 2006", "2-Jan-06", "2 Jan 06", "2 January 2006", "2. January 2006",
	"Jan 2, 2006", "Jan 2 2006", "January 2, 2006", "January 2 2006",
	"Mon Jan 2, 2006", "Mon, Jan 2, 2006", "Mon, 2 Jan 2006", "Monday, January 2, 2006", "Monday, 2 January 2006",
}

// dateOrder is the order of day and month in the dates of a column. Dates with different signs or
// lengths of the year are different, because programs write them by different settings. The zero
// value has seen no date.
type dateOrder map[string]struct{ day, month bool }

// numericDate is a date whose year is last.
type numericDate struct {
	first, second int
	year          string
	kind          string // the sign and the length of the year
}

func numeric(text string) (numericDate, bool) {
	m := yearLast.FindStringSubmatch(text)
	if m == nil || m[2] != m[4] {
		return numericDate{}, false
	}
	first, _ := strconv.Atoi(m[1])  // at most two digits
	second, _ := strconv.Atoi(m[3]) // at most two digits
	return numericDate{first, second, m[5], m[2] + strconv.Itoa(len(m[5]))}, true
}

// dayFirst and monthFirst report whether the date is valid in one order only. With two digits, the
// first number may be the year, unless the last number is no day.
func (d numericDate) dayFirst() bool {
	year, _ := strconv.Atoi(d.year)
	return d.first > 12 && d.second <= 12 && (len(d.year) == 4 || year == 0 || year > 31)
}

func (d numericDate) monthFirst() bool { return d.second > 12 && d.first <= 12 }

// observe records which order a date of the column shows.
func (o dateOrder) observe(text string) {
	d, ok := numeric(withoutTime(text))
	if !ok {
		return
	}
	seen := o[d.kind]
	seen.day, seen.month = seen.day || d.dayFirst(), seen.month || d.monthFirst()
	o[d.kind] = seen
}

// parse reads a date. It ignores the time of day, which has no time zone in these formats.
func (o dateOrder) parse(text string) (time.Time, error) {
	day := withoutTime(text)
	for _, pattern := range []*regexp.Regexp{yearFirst, withoutSign} {
		if m := pattern.FindStringSubmatch(day); m != nil {
			return valid(m[1], m[2], m[3], text)
		}
	}
	if d, ok := numeric(day); ok {
		return o.ordered(d, text)
	}
	for _, layout := range namedMonths {
		if at, err := time.Parse(layout, day); err == nil {
			return at, nil
		}
	}
	return time.Time{}, notDate(text)
}

func notDate(text string) error {
	return fmt.Errorf("%q is not a date; write it as 2006-01-02, or set \"format\" for this column in the mapping",
		text)
}

func withoutTime(text string) string {
	if !strings.Contains(text, ":") {
		return text
	}
	return timeOfDay.ReplaceAllString(text, "")
}

// ordered reads a date whose year is last. With points, the day is first everywhere.
func (o dateOrder) ordered(d numericDate, text string) (time.Time, error) {
	column := o[d.kind]
	year := d.year
	if len(year) == 2 {
		at, err := time.Parse("06", year) // the pivot is 1969
		if err != nil {
			return at, notDate(text)
		}
		year = strconv.Itoa(at.Year())
	}
	first, second := strconv.Itoa(d.first), strconv.Itoa(d.second)
	switch {
	case d.kind[0] == '.', d.dayFirst(), d.first == d.second && len(d.year) == 4, column.day && !column.month:
		return valid(year, second, first, text)
	case d.monthFirst(), column.month && !column.day:
		return valid(year, first, second, text)
	default:
		return time.Time{}, fmt.Errorf("%q is ambiguous: no other date of the column shows which number is the day; "+
			"write it as 2006-01-02, or set \"format\" for this column in the mapping", text)
	}
}

func valid(year, month, day, text string) (time.Time, error) {
	at, err := time.Parse("2006-1-2", year+"-"+month+"-"+day)
	if err != nil || at.Year() == 0 {
		return at, notDate(text)
	}
	return at, nil
}

// date parses a date with the layout of the mapping. Without one it accepts the dates that have one
// meaning everywhere, and those of which the column shows which number is the day.
func (c *column) date(text string) (string, error) {
	if c.Format == "" {
		at, err := c.dates.parse(text)
		return at.Format(time.DateOnly), err
	}
	for _, written := range []string{text, withoutTime(text)} {
		if at, err := time.Parse(c.Format, written); err == nil {
			return at.Format(time.DateOnly), nil
		}
	}
	return "", fmt.Errorf("%q is not a date of the form %s", text, c.Format)
}
