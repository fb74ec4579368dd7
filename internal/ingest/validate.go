package ingest

import (
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/musterhq/muster/internal/inventory"
	"github.com/musterhq/muster/internal/wire"
)

// What an item may hold. Everything beyond is cut or refused, and a verdict says so.
const (
	maxItemBytes   = 64 << 10
	maxStringBytes = 4 << 10
	maxListLength  = 256
	maxKeyText     = 200 // of the key shown in a verdict
)

// Times of an inventory lie after the first PC and before the clocks of today's machines give up.
var (
	earliest = time.Date(1980, 1, 1, 0, 0, 0, 0, time.UTC)
	latest   = time.Date(2100, 1, 1, 0, 0, 0, 0, time.UTC)
)

// validate reads an item or its readings from the wire and makes it fit to be stored. The verdict's outcome is
// empty where nothing had to be done; a rejected item is nil.
func validate(section *wire.Section, encoded []byte) (protoreflect.Message, inventory.Verdict) {
	verdict := inventory.Verdict{Section: section.Name}
	if len(encoded) > maxItemBytes {
		return nil, reject(verdict, fmt.Sprintf("%d bytes, more than %d", len(encoded), maxItemBytes))
	}
	m, err := section.Decode(encoded)
	if err != nil {
		return nil, reject(verdict, "not readable: "+printable(err.Error()))
	}
	c := cleaner{}
	c.clean(m)
	verdict.Item = shorten(section.Key(m), maxKeyText)
	verdict.Outcome, verdict.Reason = c.outcome, strings.Join(c.reasons, "; ")
	return m, verdict
}

func reject(v inventory.Verdict, reason string) inventory.Verdict {
	v.Outcome, v.Reason = inventory.OutcomeRejected, shorten(reason, maxStringBytes)
	return v
}

// cleaner mends the fields of one item and remembers what it did.
type cleaner struct {
	outcome string
	reasons []string
}

func (c *cleaner) note(outcome, reason string) {
	// Truncated is the graver outcome: something is missing.
	if c.outcome == "" || outcome == inventory.OutcomeTruncated {
		c.outcome = outcome
	}
	c.reasons = append(c.reasons, reason)
}

func (c *cleaner) clean(m protoreflect.Message) {
	m.SetUnknown(nil)
	m.Range(func(f protoreflect.FieldDescriptor, v protoreflect.Value) bool {
		switch {
		case f.IsList():
			c.cleanList(f, v.List())
		case f.Kind() == protoreflect.StringKind:
			if text, changed := c.cleanString(f, v.String()); changed {
				m.Set(f, protoreflect.ValueOfString(text))
			}
		case f.Kind() == protoreflect.MessageKind:
			c.cleanTime(m, f, v.Message())
		}
		return true
	})
}

func (c *cleaner) cleanList(f protoreflect.FieldDescriptor, list protoreflect.List) {
	if list.Len() > maxListLength {
		c.note(inventory.OutcomeTruncated, fmt.Sprintf("%s has %d values, kept %d", f.Name(), list.Len(), maxListLength))
		list.Truncate(maxListLength)
	}
	if f.Kind() != protoreflect.StringKind {
		return
	}
	for i := range list.Len() {
		if text, changed := c.cleanString(f, list.Get(i).String()); changed {
			list.Set(i, protoreflect.ValueOfString(text))
		}
	}
}

func (c *cleaner) cleanString(f protoreflect.FieldDescriptor, s string) (string, bool) {
	text := s
	if len(text) > maxStringBytes {
		c.note(inventory.OutcomeTruncated, fmt.Sprintf("%s has %d bytes, kept %d", f.Name(), len(text), maxStringBytes))
		text = shorten(text, maxStringBytes)
	}
	if clean := printable(text); clean != text {
		c.note(inventory.OutcomeCleaned, fmt.Sprintf("%s has control characters", f.Name()))
		text = clean
	}
	return text, text != s
}

func (c *cleaner) cleanTime(m protoreflect.Message, f protoreflect.FieldDescriptor, v protoreflect.Message) {
	at, ok := v.Interface().(*timestamppb.Timestamp)
	if !ok {
		return
	}
	if at.CheckValid() == nil && at.AsTime().After(earliest) && at.AsTime().Before(latest) {
		return
	}
	c.note(inventory.OutcomeCleaned, fmt.Sprintf("%s is no time between %d and %d", f.Name(), earliest.Year(), latest.Year()))
	m.Clear(f)
}

// printable puts a visible sign in the place of every control character: the database refuses NUL, and the
// others forge terminals and tables. Tabs and line ends are text.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\t' || r == '\n' || r == '\r':
			return r
		case r < ' ':
			return '\u2400' + r // the control pictures, Unicode block 2400
		case r == 0x7f:
			return '\u2421'
		case r >= 0x80 && r < 0xa0:
			return utf8.RuneError
		}
		return r
	}, s)
}

// Text makes text of an agent fit to be stored and shown: bounded, and without control characters.
func Text(s string) string {
	return printable(shorten(strings.ToValidUTF8(s, "\uFFFD"), maxStringBytes))
}

func shorten(s string, limit int) string {
	if len(s) <= limit {
		return s
	}
	for limit > 0 && !utf8.RuneStart(s[limit]) {
		limit--
	}
	return s[:limit]
}

// encodeReadings gives the bytes under which cleaned readings are kept.
func encodeReadings(m protoreflect.Message) ([]byte, error) {
	return proto.MarshalOptions{Deterministic: true}.Marshal(m.Interface())
}
