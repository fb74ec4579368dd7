package importer

import (
	"encoding/json"
	"fmt"
	"strings"
)

// decimalOrder is the decimal sign of the numbers of a column. The zero value has seen none.
type decimalOrder struct{ comma, dot bool }

// observe records which decimal sign a number of the column shows.
func (c *column) observeNumber(text string) {
	digits, _ := plainDigits(text)
	if sign, plain := decimalSign(digits); plain && strings.ContainsAny(digits, ",.") {
		c.decimals.comma = c.decimals.comma || sign == ","
		c.decimals.dot = c.decimals.dot || sign == "."
	}
}

// decimal returns the decimal sign of a number, "" if it is ambiguous.
func (c *column) decimal(digits string) string {
	if c.Decimal != "" {
		return c.Decimal
	}
	sign, plain := decimalSign(digits)
	switch {
	case plain:
		return sign
	case c.decimals.comma && !c.decimals.dot:
		return ","
	case c.decimals.dot && !c.decimals.comma:
		return "."
	default:
		return ""
	}
}

// number reads a number with its decimal sign and groups of digits: "1.234,50", "1 234.50",
// "1'234". It ignores a currency beside the number.
func (c *column) number(text string) (json.Number, error) {
	digits, currency := plainDigits(text)
	sign := c.decimal(digits)
	if sign == "" {
		return "", fmt.Errorf("%q is ambiguous: no other number of the column shows the decimal sign; "+
			"set \"decimal\" for this column in the mapping", text)
	}
	group := map[string]string{".": ",", ",": "."}[sign]
	whole, fraction, hasFraction := strings.Cut(digits, sign)
	negative := strings.HasPrefix(whole, "-")
	whole, grouped := ungroup(strings.TrimPrefix(whole, "-"), group)
	if !grouped || !allDigits(whole) || hasFraction && !allDigits(fraction) || len(whole)+len(fraction) > 30 {
		return "", fmt.Errorf("%q is not a number", text)
	}
	if currency != "" {
		c.currencies[currency] = true
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

// noCents are the ways to write that a price has no cents: "1'299.-".
var noCents = []string{".--", ",--", ".-", ",-", ".–", ",–", ".—", ",—"}

// plainDigits returns a number without the currency beside it. A price in parentheses is negative,
// as in accounting.
func plainDigits(text string) (digits, currency string) {
	text = strings.ReplaceAll(text, "\u2212", "-") // the minus sign
	inner, negative := strings.CutPrefix(text, "(")
	if negative = negative && strings.HasSuffix(inner, ")"); negative {
		text = strings.TrimSuffix(inner, ")")
	}
	text, currency = withoutCurrency(text)
	for _, ending := range noCents {
		if whole, found := strings.CutSuffix(text, ending); found {
			text = whole + ending[:1] + "00"
		}
	}
	if negative {
		text = "-" + text
	}
	return text, currency
}

// withoutCurrency removes a currency from either end; a minus sign may be before it.
func withoutCurrency(text string) (rest, currency string) {
	unsigned, negative := strings.CutPrefix(text, "-")
	for _, currency := range words.Currencies {
		rest, found := strings.CutPrefix(unsigned, currency)
		if !found {
			rest, found = strings.CutSuffix(unsigned, currency)
		}
		if found && negative {
			rest = "-" + strings.TrimSpace(rest)
		}
		if found {
			return strings.TrimSpace(rest), currency
		}
	}
	return text, ""
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
