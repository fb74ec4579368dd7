package items

import (
	"bytes"

	"google.golang.org/protobuf/encoding/protowire"
)

// field is a part of an encoded message: a number, the head of a message that has numbers alone,
// such as a Timestamp, or any other field.
type field struct {
	tag    protowire.Number
	form   fieldForm
	number uint64 // of a head: how many numbers follow it
	other  []byte // the field as it is encoded
}

type fieldForm byte

const (
	formNumber fieldForm = iota
	formHead
	formOther
)

// appendFields appends the fields of an encoded message. It returns false if the encoding is not
// the shortest one, so that the message cannot be encoded again from its fields.
func appendFields(fields []field, message []byte) ([]field, bool) {
	for len(message) > 0 {
		tag, wireType, n := protowire.ConsumeTag(message)
		if n < 0 || n != protowire.SizeTag(tag) {
			return fields, false
		}
		size := protowire.ConsumeFieldValue(tag, wireType, message[n:])
		if size < 0 {
			return fields, false
		}
		value := message[n : n+size]
		switch wireType {
		case protowire.VarintType:
			number, _ := protowire.ConsumeVarint(value)
			if protowire.SizeVarint(number) != size {
				return fields, false
			}
			fields = append(fields, field{tag: tag, number: number})
		case protowire.BytesType:
			body, _ := protowire.ConsumeBytes(value)
			if protowire.SizeBytes(len(body)) != size {
				return fields, false
			}
			var has bool
			if fields, has = appendNumbers(fields, tag, body); !has {
				fields = append(fields, field{tag: tag, form: formOther, other: message[:n+size]})
			}
		default:
			fields = append(fields, field{tag: tag, form: formOther, other: message[:n+size]})
		}
		message = message[n+size:]
	}
	return fields, true
}

// appendNumbers appends the head and the numbers of a message that has nothing else. Otherwise it
// appends nothing and returns false.
func appendNumbers(fields []field, tag protowire.Number, body []byte) ([]field, bool) {
	head := len(fields)
	fields = append(fields, field{tag: tag, form: formHead})
	for len(body) > 0 {
		inner, wireType, n := protowire.ConsumeTag(body)
		if n < 0 || wireType != protowire.VarintType || n != protowire.SizeTag(inner) {
			return fields[:head], false
		}
		number, size := protowire.ConsumeVarint(body[n:])
		if size < 0 || size != protowire.SizeVarint(number) {
			return fields[:head], false
		}
		fields = append(fields, field{tag: inner, number: number})
		body = body[n+size:]
	}
	fields[head].number = uint64(len(fields) - head - 1) //nolint:gosec // a count
	return fields, true
}

// appendMessage appends the message that fields encode.
func appendMessage(message []byte, fields []field) []byte {
	for i, f := range fields {
		switch f.form {
		case formNumber:
			message = protowire.AppendTag(message, f.tag, protowire.VarintType)
			message = protowire.AppendVarint(message, f.number)
		case formHead:
			size := 0
			for _, inner := range fields[i+1 : i+1+int(f.number)] { //nolint:gosec // it counts elements
				size += protowire.SizeTag(inner.tag) + protowire.SizeVarint(inner.number)
			}
			message = protowire.AppendTag(message, f.tag, protowire.BytesType)
			message = protowire.AppendVarint(message, uint64(size))
		case formOther:
			message = append(message, f.other...)
		}
	}
	return message
}

// appendDifferences appends what to add to the numbers of a message so that it is the other one. It
// returns false if they differ in more than numbers.
func appendDifferences(differences []int64, from, to []field) ([]int64, bool) {
	if len(from) != len(to) {
		return differences, false
	}
	for i, f := range from {
		other := to[i]
		switch {
		case f.tag != other.tag || f.form != other.form:
			return differences, false
		case f.form == formNumber:
			differences = append(differences, int64(other.number-f.number)) //nolint:gosec // the sum wraps around too
		case f.number != other.number || !bytes.Equal(f.other, other.other):
			return differences, false
		}
	}
	return differences, true
}

// addDifferences returns the message with differences added to its numbers, in their order.
func addDifferences(message []byte, differences []int64) ([]byte, bool) {
	fields, ok := appendFields(nil, message)
	if !ok {
		return nil, false
	}
	for i := range fields {
		if fields[i].form != formNumber {
			continue
		}
		if len(differences) == 0 {
			return nil, false
		}
		fields[i].number += uint64(differences[0]) //nolint:gosec // it wraps around as it did before
		differences = differences[1:]
	}
	return appendMessage(nil, fields), len(differences) == 0
}
