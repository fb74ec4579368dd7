package state

import (
	"encoding/binary"
	"errors"
	"hash/crc32"
	"maps"
	"slices"
)

// A file of records starts with recordsHeader and the CRC-32C of everything after it
// (little-endian). Then each record follows, sorted by name, as name and value. Each of these has
// its length before it (uvarint).
const (
	recordsHeader = "muster-agent state 1\n"
	checksumSize  = 4
)

// errDamaged reports that a file has another format or was changed after it was written.
var errDamaged = errors.New("the file is damaged")

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

func encodeRecords(records map[string][]byte) []byte {
	size := len(recordsHeader) + checksumSize
	for name, value := range records {
		size += 2*binary.MaxVarintLen32 + len(name) + len(value)
	}
	b := append(make([]byte, 0, size), recordsHeader...)
	b = append(b, make([]byte, checksumSize)...)
	for _, name := range slices.Sorted(maps.Keys(records)) {
		b = appendField(b, []byte(name))
		b = appendField(b, records[name])
	}
	body := b[len(recordsHeader)+checksumSize:]
	binary.LittleEndian.PutUint32(b[len(recordsHeader):], crc32.Checksum(body, castagnoli))
	return b
}

// decodeRecords returns records that share the memory of b.
func decodeRecords(b []byte) (map[string][]byte, error) {
	const start = len(recordsHeader) + checksumSize
	if len(b) < start || string(b[:len(recordsHeader)]) != recordsHeader {
		return nil, errDamaged
	}
	sum, body := binary.LittleEndian.Uint32(b[len(recordsHeader):]), b[start:]
	if crc32.Checksum(body, castagnoli) != sum {
		return nil, errDamaged
	}
	records := make(map[string][]byte)
	for len(body) > 0 {
		var name, value []byte
		var named, valued bool
		name, body, named = cutField(body)
		value, body, valued = cutField(body)
		if !named || !valued {
			return nil, errDamaged
		}
		records[string(name)] = value
	}
	return records, nil
}

func appendField(b, field []byte) []byte {
	return append(binary.AppendUvarint(b, uint64(len(field))), field...)
}

func cutField(b []byte) (field, rest []byte, ok bool) {
	size, n := binary.Uvarint(b)
	if n <= 0 || size > uint64(len(b)-n) { //nolint:gosec // n is at most len(b)
		return nil, nil, false
	}
	end := n + int(size) //nolint:gosec // at most len(b)
	return b[n:end:end], b[end:], true
}
