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

// Bounds of an item. A longer string or list is truncated, a larger item is rejected, both with a
// verdict.
const (
	maxItemBytes   = 64 << 10
	maxStringBytes = 4 << 10
	maxListLength  = 256
	maxKeyText     = 200 // bytes of the key in a verdict
)

// Times outside these bounds are removed: they come from clocks and firmware without a valid date.
var (
	earliest = time.Date(1980, 1, 1, 0, 0, 0, 0, time.UTC)
	latest   = time.Date(2100, 1, 1, 0, 0, 0, 0, time.UTC)
)

// validate decodes an item or its readings and cleans it. The verdict's outcome is empty if nothing
// had to be changed. The message is nil if the item is rejected.
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
	if c.outcome != "" {
		verdict.Outcome, verdict.Reason = c.outcome, strings.Join(c.reasons, "; ")
		verdict.Item = shorten(section.Key(m), maxKeyText)
	}
	return m, verdict
}

func reject(v inventory.Verdict, reason string) inventory.Verdict {
	v.Outcome, v.Reason = inventory.OutcomeRejected, shorten(reason, maxStringBytes)
	return v
}

// cleaner cleans the fields of one item and records what it changed.
type cleaner struct {
	outcome string
	reasons []string
}

func (c *cleaner) note(outcome, reason string) {
	// Truncated takes precedence: a part of the value is missing.
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
	if plainText(s) {
		return s, false
	}
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
	reason := fmt.Sprintf("%s is not a time between %d and %d", f.Name(), earliest.Year(), latest.Year())
	c.note(inventory.OutcomeCleaned, reason)
	m.Clear(f)
}

// printable replaces every control character except tabs and line ends by a visible one: PostgreSQL
// rejects NUL, and the others can change what a terminal or a table shows.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\t' || r == '\n' || r == '\r':
			return r
		case r < ' ':
			return '\u2400' + r // Unicode block Control Pictures
		case r == 0x7f:
			return '\u2421'
		case r >= 0x80 && r < 0xa0:
			return utf8.RuneError
		}
		return r
	}, s)
}

// Text returns a text of an agent as valid UTF-8, at most maxStringBytes long and without control
// characters.
func Text(s string) string {
	return printable(shorten(strings.ToValidUTF8(s, "\uFFFD"), maxStringBytes))
}

// shorten cuts a string at a rune boundary to at most limit bytes.
func shorten(s string, limit int) string {
	if len(s) <= limit {
		return s
	}
	for limit > 0 && !utf8.RuneStart(s[limit]) {
		limit--
	}
	return s[:limit]
}

// encodeReadings returns the bytes under which cleaned readings are stored.
func encodeReadings(m protoreflect.Message) ([]byte, error) {
	return proto.MarshalOptions{Deterministic: true}.Marshal(m.Interface())
}
