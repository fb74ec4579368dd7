package importer

import (
	"fmt"
	"regexp"
	"strings"
	"time"
)

// roundedNumber is what a spreadsheet leaves of a number with more than 11 digits.
var roundedNumber = regexp.MustCompile(`^[0-9]([.,][0-9]+)?[Ee]\+[0-9]{2}$`)

// convert returns the value of a field as string, json.Number or bool. Dates become "2006-01-02",
// times RFC 3339.
func (c *column) convert(text string) (any, error) {
	if len(c.Values) > 0 {
		if value, known := translate(text, c.Values); known {
			text = value
		} else if _, known := c.choice(text); !known {
			return nil, fmt.Errorf("the mapping has no value for %q", text)
		}
	}
	switch c.valueType {
	case "date":
		return c.date(text)
	case "timestamp":
		at, err := time.Parse(time.RFC3339, text)
		if err != nil {
			return nil, fmt.Errorf("%q is not a time; write it as 2024-05-31T13:45:00Z", text)
		}
		return at.UTC().Format(time.RFC3339), nil
	case "number", "integer":
		return c.number(text)
	case "boolean":
		return boolean(text)
	case "choice":
		if value, known := c.choice(text); known {
			return value, nil
		}
		return nil, fmt.Errorf("%q is none of %s; set \"values\" for this column in the mapping",
			text, strings.Join(c.choices, ", "))
	}
	switch {
	case c.Attribute == "mac_address":
		return addressesOf(text)
	case words.Attributes[c.Attribute].Identifies && roundedNumber.MatchString(text):
		return nil, fmt.Errorf("%q is a number that a spreadsheet has rounded; format the column as text", text)
	}
	return text, nil
}

// choice returns the choice that a text stands for: its value, or the value as people read it, such
// as "In use".
func (c *column) choice(text string) (string, bool) {
	for _, choice := range c.choices {
		if fold(choice) == fold(text) {
			return choice, true
		}
	}
	return "", false
}

func boolean(text string) (bool, error) {
	switch {
	case isOneOf(text, words.True):
		return true, nil
	case isOneOf(text, words.False):
		return false, nil
	default:
		return false, fmt.Errorf("%q is neither yes nor no", text)
	}
}

func addressesOf(text string) (string, error) {
	var found []string
	for _, word := range strings.FieldsFunc(text, func(r rune) bool { return strings.ContainsRune("/,; \n", r) }) {
		mac, ok := hardwareAddress(word)
		if !ok {
			return "", fmt.Errorf("%q is not a MAC address", word)
		}
		if mac != "" {
			found = append(found, mac)
		}
	}
	return strings.Join(found, " "), nil
}
