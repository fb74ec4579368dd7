package importer

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"
)

// convert returns the value of a field as string, json.Number or bool. Dates become "2006-01-02",
// times RFC 3339.
func (c *column) convert(text string) (any, error) {
	if len(c.Values) > 0 {
		value, known := translate(text, c.Values)
		if !known {
			return nil, fmt.Errorf("the mapping has no value for %q", text)
		}
		text = value
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
	}
	if c.Attribute == "mac_address" {
		return addressesOf(text)
	}
	return text, nil
}

// date parses a date with the layout of the mapping. Without one it accepts 2006-01-02 and
// 2.1.2006, which have one meaning everywhere, and dates with slashes if the column shows which
// number is the day.
func (c *column) date(text string) (string, error) {
	if c.Format != "" {
		at, err := time.Parse(c.Format, text)
		if err != nil {
			return "", fmt.Errorf("%q is not a date of the form %s", text, c.Format)
		}
		return at.Format(time.DateOnly), nil
	}
	at, ok := c.dates.parse(text)
	if !ok {
		var err error
		at, err = time.Parse("2.1.2006", text)
		ok = err == nil
	}
	if !ok {
		return "", fmt.Errorf("%q is not a date, or is ambiguous; set \"format\" for this column in the mapping", text)
	}
	return at.Format(time.DateOnly), nil
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

// number reads a number with its decimal sign and groups of digits: "1.234,50", "1 234.50",
// "1'234". It ignores a currency beside the number.
func (c *column) number(text string) (json.Number, error) {
	digits := c.withoutCurrency(text)
	sign := c.Decimal
	if sign == "" {
		var plain bool
		if sign, plain = decimalSign(digits); !plain {
			return "", fmt.Errorf("%q is ambiguous; set \"decimal\" for this column in the mapping", text)
		}
	}
	group := map[string]string{".": ",", ",": "."}[sign]
	whole, fraction, hasFraction := strings.Cut(digits, sign)
	negative := strings.HasPrefix(whole, "-")
	whole, grouped := ungroup(strings.TrimPrefix(whole, "-"), group)
	if !grouped || !allDigits(whole) || hasFraction && !allDigits(fraction) || len(whole)+len(fraction) > 30 {
		return "", fmt.Errorf("%q is not a number", text)
	}
	whole = strings.TrimLeft(whole[:len(whole)-1], "0") + whole[len(whole)-1:]
	if hasFraction {
		whole += "." + fraction
	}
	if negative {
		whole = "-" + whole
	}
	return json.Number(whole), nil
}

func allDigits(text string) bool { return text != "" && strings.Trim(text, "0123456789") == "" }

// withoutCurrency removes a currency from either end and records it for a warning.
func (c *column) withoutCurrency(text string) string {
	for _, currency := range words.Currencies {
		rest, found := strings.CutPrefix(text, currency)
		if !found {
			rest, found = strings.CutSuffix(text, currency)
		}
		if found {
			c.currencies[currency] = true
			return strings.TrimSpace(rest)
		}
	}
	return text
}

// decimalSign detects the decimal sign. It is not plain in "1.234", which is 1234 in some
// countries.
func decimalSign(digits string) (sign string, plain bool) {
	comma, dot := strings.LastIndex(digits, ","), strings.LastIndex(digits, ".")
	switch {
	case comma < 0 && dot < 0:
		return ".", true
	case comma >= 0 && dot >= 0:
		return digits[max(comma, dot):][:1], true // the last of the two
	}
	only := digits[max(comma, dot):][:1]
	if strings.Count(digits, only) > 1 {
		return map[string]string{".": ",", ",": "."}[only], true // it separates groups
	}
	before, after, _ := strings.Cut(strings.TrimPrefix(digits, "-"), only)
	if len(after) == 3 && len(before) <= 3 && strings.TrimLeft(before, "0") != "" {
		return "", false
	}
	return only, true
}

// ungroup removes the separators between groups of three digits. It returns false if a group has
// another length.
func ungroup(whole, group string) (string, bool) {
	separates := func(r rune) bool { return string(r) == group || strings.ContainsRune(" '’\u00a0\u202f", r) }
	parts := strings.FieldsFunc(whole, separates)
	for i, part := range parts {
		if i > 0 && len(part) != 3 || i == 0 && len(parts) > 1 && len(part) > 3 {
			return "", false
		}
	}
	joined := strings.Join(parts, "")
	return joined, strings.Count(whole, group) <= len(parts)-1
}
