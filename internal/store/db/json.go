package db

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"strconv"

	"github.com/musterhq/muster/internal/inventory"
)

// SameJSON reports whether two documents say the same, however they are written.
func SameJSON(a, b []byte) bool {
	if bytes.Equal(a, b) {
		return true
	}
	x, errX := DecodeJSON(a)
	y, errY := DecodeJSON(b)
	return errX == nil && errY == nil && reflect.DeepEqual(x, y)
}

func DecodeJSON(encoded []byte) (value any, err error) {
	decoder := json.NewDecoder(bytes.NewReader(encoded))
	decoder.UseNumber() // a number is kept as it is written: 64 bits do not fit into a float
	err = decoder.Decode(&value)
	return value, err
}

func DecodeAttributes(encoded []byte) (inventory.Attributes, error) {
	attributes := inventory.Attributes{}
	decoder := json.NewDecoder(bytes.NewReader(encoded))
	decoder.UseNumber()
	if err := decoder.Decode(&attributes); err != nil {
		return nil, fmt.Errorf("read attributes: %w", err)
	}
	return attributes, nil
}

// Text gives JSON as pgx sends it for a jsonb; nil is null.
func Text(encoded []byte) *string {
	if encoded == nil {
		return nil
	}
	s := string(encoded)
	return &s
}

// Unmarshal reads JSON whose numbers may be larger than a float64 is exact.
func Unmarshal(encoded []byte, into any) error {
	decoder := json.NewDecoder(bytes.NewReader(encoded))
	decoder.UseNumber()
	return decoder.Decode(into)
}

// Hashes are 64 bits wide: as JSON numbers they would not survive every reader, so they are hexadecimal text.
func EncodeHashes(hardware map[string]uint64) ([]byte, error) {
	text := make(map[string]string, len(hardware))
	for family, hash := range hardware {
		text[family] = strconv.FormatUint(hash, 16)
	}
	return json.Marshal(text)
}

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
