package sqlitefile

import "encoding/binary"

// Row is one row of a table: a record (§2.1).
type Row struct {
	ID     int64
	record []byte
}

// The serial types of values other than integers in two's complement (§2.1).
const (
	serialNull  = 0
	serialFloat = 7
	serialZero  = 8
	serialOne   = 9
	serialBlob  = 12 // and every even number above it
	serialText  = 13 // and every odd number above it
)

// Bytes returns the blob or text of a column. The first column is 0. It returns nil if the column
// has another type or does not exist. The bytes are valid as long as the row.
func (r Row) Bytes(column int) []byte {
	serial, content := r.column(column)
	if serial < serialBlob {
		return nil
	}
	return content
}

// Int returns the integer of a column, or 0 if the column has another type or does not exist.
func (r Row) Int(column int) int64 {
	serial, content := r.column(column)
	switch {
	case serial == serialOne:
		return 1
	case serial == serialNull || serial >= serialFloat || len(content) == 0:
		return 0
	}
	value := int64(int8(content[0])) //nolint:gosec // the first byte carries the sign
	for _, b := range content[1:] {
		value = value<<8 | int64(b)
	}
	return value
}

// column returns the serial type and the content of a column. A column beyond the end of the record
// is null.
func (r Row) column(column int) (serial uint64, content []byte) {
	size, at := varint(r.record)
	if at == 0 || size > uint64(len(r.record)) {
		return serialNull, nil
	}
	end := max(int(size), at) //nolint:gosec // just bounded
	header, body := r.record[at:end], r.record[end:]
	for ; len(header) > 0; column-- {
		serial, n := varint(header)
		if n == 0 {
			break
		}
		header = header[n:]
		length := contentLength(serial)
		if length > uint64(len(body)) {
			break
		}
		if column == 0 {
			return serial, body[:length]
		}
		body = body[length:]
	}
	return serialNull, nil
}

// contentLength returns the length of a value in bytes, by its serial type (§2.1).
func contentLength(serial uint64) uint64 {
	lengths := [...]uint64{
		serialNull: 0, 1: 1, 2: 2, 3: 3, 4: 4, 5: 6, 6: 8, serialFloat: 8, serialZero: 0, serialOne: 0, 10: 0, 11: 0,
	}
	switch {
	case serial < serialBlob:
		return lengths[serial]
	case serial%2 == serialText%2:
		return (serial - serialText) / 2
	default:
		return (serial - serialBlob) / 2
	}
}

// varint decodes a big-endian integer of 1 to 9 bytes (§1.6) and returns its length, or 0 if b ends
// within it.
func varint(b []byte) (value uint64, length int) {
	for i := 0; i < len(b) && i < 8; i++ {
		value = value<<7 | uint64(b[i]&0x7f)
		if b[i] < 0x80 {
			return value, i + 1
		}
	}
	if len(b) < 9 {
		return 0, 0
	}
	return value<<8 | uint64(b[8]), 9
}

func uint16At(b []byte, at int) int { return int(binary.BigEndian.Uint16(b[at:])) }

func uint32At(b []byte, at int) uint32 { return binary.BigEndian.Uint32(b[at:]) }
