package rpmdb

import (
	"bytes"
	"encoding/binary"
)

// entry is one tag's value in a header.
type entry struct {
	kind, offset uint32
	data         []byte
}

// none is the text that rpm writes for an unknown value.
const none = "(none)"

// text returns the value's first string, or nil if it has none or is outside the data.
func (e entry) text() []byte {
	isText := e.kind == typeString || e.kind == typeStrings || e.kind == typeI18NString
	if !isText || uint64(e.offset) >= uint64(len(e.data)) {
		return nil
	}
	text := e.data[e.offset:]
	end := bytes.IndexByte(text, 0)
	if end <= 0 || string(text[:end]) == none {
		return nil
	}
	return text[:end]
}

// number returns the value's first integer.
func (e entry) number() (uint64, bool) {
	if uint64(e.offset) >= uint64(len(e.data)) {
		return 0, false
	}
	switch data := e.data[e.offset:]; {
	case e.kind == typeInt32 && len(data) >= 4:
		return uint64(binary.BigEndian.Uint32(data)), true
	case e.kind == typeInt64 && len(data) >= 8:
		return binary.BigEndian.Uint64(data), true
	}
	return 0, false
}
