package cmdb

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/jackc/pgx/v5"

	"github.com/musterhq/muster/internal/inventory"
	"github.com/musterhq/muster/internal/store/db"
)

// CheckAttributes converts values to their stored form, by the types of their attributes: text and
// choices are unchanged, numbers become json.Number, dates "2006-01-02", timestamps RFC 3339 in
// UTC. Numbers, booleans and times may be text. A nil value is left out. For a value of another
// type, and for an attribute that the class does not have, it returns an inventory.Error with
// CodeInvalid that names the attribute.
func (s *Store) CheckAttributes(
	ctx context.Context, class string, values map[string]any,
) (checked inventory.Attributes, err error) {
	err = s.Read(ctx, func(tx pgx.Tx) error {
		checked, err = CheckAttributes(ctx, tx, class, values)
		return err
	})
	if err != nil {
		return nil, err
	}
	return checked, nil
}

// CheckAttributes is Store.CheckAttributes in a transaction. A caller with a transaction must not
// wait for a second connection: all others may be waiting for its locks.
func CheckAttributes(
	ctx context.Context, tx pgx.Tx, class string, values map[string]any,
) (inventory.Attributes, error) {
	declared, err := AttributesFor(ctx, tx, class)
	if err != nil {
		return nil, err
	}
	return ConvertAll(class, declared, values)
}

// AttributesFor returns the attributes that the CIs of a class have.
func AttributesFor(ctx context.Context, tx pgx.Tx, class string) ([]inventory.Attribute, error) {
	above, err := ClassAndAbove(ctx, tx, class)
	if err != nil {
		return nil, err
	}
	return attributesOf(ctx, tx, above)
}

// ConvertAll is CheckAttributes with the attributes of the class.
func ConvertAll(class string, declared []inventory.Attribute, values map[string]any) (inventory.Attributes, error) {
	checked := inventory.Attributes{}
	for _, name := range slices.Sorted(maps.Keys(values)) {
		i := slices.IndexFunc(declared, Named(name))
		if i < 0 {
			return nil, db.Invalid("class %s has no attribute %s", class, name)
		}
		if values[name] == nil {
			continue
		}
		converted, err := convert(declared[i], values[name])
		if err != nil {
			return nil, err
		}
		checked[name] = converted
	}
	return checked, nil
}

// Named returns the condition that an attribute has a name.
func Named(name string) func(inventory.Attribute) bool {
	return func(a inventory.Attribute) bool { return a.Name == name }
}

// MaxText is the longest text in bytes: an entry of a B-tree is at most 2,704 (PostgreSQL, btree,
// "a third of a page").
const MaxText = 2000

// convert returns the stored form of a value.
func convert(a inventory.Attribute, value any) (any, error) {
	text, isText := value.(string)
	if isText && (len(text) > MaxText || !utf8.ValidString(text) || strings.ContainsRune(text, 0)) {
		return nil, db.Invalid("attribute %s is not text of at most %d bytes", a.Name, MaxText)
	}
	if text == "" && isText {
		return nil, db.Invalid("attribute %s is empty: leave out unknown values", a.Name)
	}
	converted, ok := value, false
	switch a.Type {
	case typeText:
		ok = isText
	case typeChoice:
		if ok = slices.Contains(a.Choices, text); !ok {
			return nil, db.Invalid("attribute %s: %v is none of %s", a.Name, value, strings.Join(a.Choices, ", "))
		}
	case typeInteger:
		converted, ok = integer(value)
	case typeNumber:
		converted, ok = number(value)
	case typeBoolean:
		converted, ok = boolean(value)
	case typeDate:
		converted, ok = date(text)
	case typeTimestamp:
		converted, ok = timestamp(text)
	}
	if !ok {
		return nil, db.Invalid("attribute %s: %v is not a valid %s", a.Name, value, a.Type)
	}
	return converted, nil
}

// plainNumber matches the numbers that are stored digit by digit; JSON has no leading zeros (RFC
// 8259 §6). anyNumber matches all numbers that are accepted.
var (
	plainNumber = regexp.MustCompile(`^-?(0|[1-9][0-9]{0,29})(\.[0-9]{1,20})?$`)
	anyNumber   = regexp.MustCompile(`^[-+]?[0-9]{1,40}(\.[0-9]{1,40})?([eE][-+]?[0-9]{1,3})?$`)
)

func integer(value any) (any, bool) {
	n, ok := number(value)
	if !ok {
		return nil, false
	}
	i, err := strconv.ParseInt(n.String(), 10, 64)
	return json.Number(strconv.FormatInt(i, 10)), err == nil
}

// number keeps the decimal digits: a sum of money has no exact binary fraction.
func number(value any) (json.Number, bool) {
	text := strings.TrimSpace(numberText(value))
	if !plainNumber.MatchString(text) {
		if !anyNumber.MatchString(text) {
			return "", false
		}
		f, err := strconv.ParseFloat(text, 64)
		if err != nil || math.IsInf(f, 0) || math.IsNaN(f) {
			return "", false
		}
		if text = strconv.FormatFloat(f, 'f', -1, 64); !plainNumber.MatchString(text) {
			return "", false
		}
	}
	if strings.Contains(text, ".") {
		text = strings.TrimSuffix(strings.TrimRight(text, "0"), ".")
	}
	if text == "-0" {
		text = "0"
	}
	return json.Number(text), true
}

// numberText returns the text of a value that can be a number, and "" for any other value.
func numberText(value any) string {
	switch v := value.(type) {
	case string:
		return v
	case json.Number:
		return v.String()
	case float64:
		return strconv.FormatFloat(v, 'g', -1, 64)
	case int, int32, int64, uint64:
		return fmt.Sprint(v)
	default:
		return ""
	}
}

func boolean(value any) (any, bool) {
	switch v := value.(type) {
	case bool:
		return v, true
	case string:
		text := strings.ToLower(v)
		return text == "true", text == "true" || text == "false"
	default:
		return nil, false
	}
}

func date(text string) (any, bool) {
	t, err := time.Parse(time.DateOnly, text)
	return text, err == nil && t.Year() > 0
}

func timestamp(text string) (any, bool) {
	t, err := time.Parse(time.RFC3339Nano, text)
	if err != nil || t.UTC().Year() < 1 || t.UTC().Year() > 9999 {
		return nil, false
	}
	return t.UTC().Format(time.RFC3339Nano), true
}
