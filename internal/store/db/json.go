package db

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"strconv"

	"github.com/musterhq/muster/internal/inventory"
)

// Unmarshal decodes JSON like json.Unmarshal, but numbers of untyped values become json.Number: a
// float64 does not hold every integer of 64 bits.
func Unmarshal(encoded []byte, into any) error {
	decoder := json.NewDecoder(bytes.NewReader(encoded))
	decoder.UseNumber()
	return decoder.Decode(into)
}

// DecodeJSON returns the value of a JSON document; numbers are json.Number.
func DecodeJSON(encoded []byte) (value any, err error) {
	err = Unmarshal(encoded, &value)
	return value, err
}

// DecodeAttributes returns the attributes of a JSON object.
func DecodeAttributes(encoded []byte) (inventory.Attributes, error) {
	attributes := inventory.Attributes{}
	if err := Unmarshal(encoded, &attributes); err != nil {
		return nil, fmt.Errorf("read attributes: %w", err)
	}
	return attributes, nil
}

// SameJSON reports whether two JSON documents have the same value, whatever their white space and
// the order of their keys.
func SameJSON(a, b []byte) bool {
	if bytes.Equal(a, b) {
		return true
	}
	x, errX := DecodeJSON(a)
	y, errY := DecodeJSON(b)
	return errX == nil && errY == nil && reflect.DeepEqual(x, y)
}

// Text returns JSON in the form that pgx accepts for a jsonb parameter; nil is null.
func Text(encoded []byte) *string {
	if encoded == nil {
		return nil
	}
	s := string(encoded)
	return &s
}

// EncodeHashes returns the hashes of hardware families as a JSON object of hexadecimal strings: not
// every JSON reader keeps all 64 bits of a number.
func EncodeHashes(hardware map[string]uint64) ([]byte, error) {
	text := make(map[string]string, len(hardware))
	for family, hash := range hardware {
		text[family] = strconv.FormatUint(hash, 16)
	}
	return json.Marshal(text)
}

// DecodeHashes returns what EncodeHashes encoded.
func DecodeHashes(encoded []byte) (map[string]uint64, error) {
	var text map[string]string
	if err := json.Unmarshal(encoded, &text); err != nil {
		return nil, fmt.Errorf("read hardware: %w", err)
	}
	hardware := make(map[string]uint64, len(text))
	for family, hash := range text {
		value, err := strconv.ParseUint(hash, 16, 64)
		if err != nil {
			return nil, fmt.Errorf("read hardware: %w", err)
		}
		hardware[family] = value
	}
	return hardware, nil
}
