package api

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/musterhq/muster/internal/inventory"
)

// maxConditions bounds the size of the SQL of one filter.
const maxConditions = 64

// filterOperators are those of AIP-160. A longer one stands before its prefix.
var filterOperators = []string{"!=", "<=", ">=", "=", "<", ">", ":"}

// parseFilter parses conditions joined by AND, a subset of AIP-160: attribute, operator, value. A value
// is a word, which ends at white space, or text in quotation marks, in which a backslash escapes a
// quotation mark or a backslash. Errors contain the position in characters, from 1.
func parseFilter(text string) ([]inventory.Condition, error) {
	p := filterParser{text: text}
	var conditions []inventory.Condition
	for p.skipSpace(); p.at < len(text); p.skipSpace() {
		if len(conditions) == maxConditions {
			return nil, p.wrong("the filter has more than %d conditions", maxConditions)
		}
		if len(conditions) > 0 {
			if err := p.and(); err != nil {
				return nil, err
			}
		}
		c, err := p.condition()
		if err != nil {
			return nil, err
		}
		conditions = append(conditions, c)
	}
	return conditions, nil
}

type filterParser struct {
	text string
	at   int // the next byte
}

func (p *filterParser) wrong(format string, args ...any) error {
	position := utf8.RuneCountInString(p.text[:p.at]) + 1
	return invalid("query.filter", fmt.Sprintf("at character %d: ", position)+fmt.Sprintf(format, args...))
}

func (p *filterParser) skipSpace() {
	p.at = len(p.text) - len(strings.TrimLeftFunc(p.text[p.at:], unicode.IsSpace))
}

// word consumes the characters up to the first that ends a word.
func (p *filterParser) word(ends func(rune) bool) string {
	rest := p.text[p.at:]
	if end := strings.IndexFunc(rest, ends); end >= 0 {
		rest = rest[:end]
	}
	p.at += len(rest)
	return rest
}

func (p *filterParser) and() error {
	start := p.at
	if word := p.word(unicode.IsSpace); word != "AND" {
		p.at = start
		return p.wrong("expected AND between two conditions, not %q", word)
	}
	p.skipSpace()
	return nil
}

func (p *filterParser) condition() (c inventory.Condition, err error) {
	c.Attribute = p.word(func(r rune) bool { return r != '_' && (r < '0' || r > '9') && (r < 'a' || r > 'z') })
	if c.Attribute == "" {
		return c, p.wrong("expected the name of an attribute")
	}
	p.skipSpace()
	for _, operator := range filterOperators {
		if strings.HasPrefix(p.text[p.at:], operator) {
			c.Operator = operator
			p.at += len(operator)
			p.skipSpace()
			c.Value, err = p.value()
			return c, err
		}
	}
	return c, p.wrong("expected one of the operators = != < <= > >= : after %s", c.Attribute)
}

func (p *filterParser) value() (string, error) {
	if strings.HasPrefix(p.text[p.at:], `"`) {
		return p.quoted()
	}
	start := p.at
	value := p.word(unicode.IsSpace)
	if value == "" || strings.ContainsAny(value, `"()`) {
		p.at = start
		return "", p.wrong(`expected a value; put one with spaces, parentheses or quotation marks in "…"`)
	}
	return value, nil
}

func (p *filterParser) quoted() (string, error) {
	start := p.at
	var b strings.Builder
	for p.at++; p.at < len(p.text); p.at++ {
		switch c := p.text[p.at]; {
		case c == '"':
			p.at++
			return b.String(), nil
		case c == '\\' && p.at+1 < len(p.text) && strings.IndexByte(`"\`, p.text[p.at+1]) >= 0:
			p.at++
			b.WriteByte(p.text[p.at])
		default:
			b.WriteByte(c)
		}
	}
	p.at = start
	return "", p.wrong("the closing quotation mark is missing")
}
