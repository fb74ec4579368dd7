// Package plist reads property lists of macOS: XML, binary and the older text format. It bounds
// what a file can cost. Start reading at Unmarshal.
package plist

import (
	"bytes"
	"errors"
	"fmt"

	"howett.net/plist"
)

// maxBinary bounds a binary list, in bytes. The time to read nested lists grows with the square of
// their depth, and a list of this size can have tens of thousands of levels. The largest
// Info.plist files of applications are a fifth of it.
const maxBinary = 256 << 10

// maxDepth bounds the nesting of the other formats, whose reader is recursive.
const maxDepth = 100

// Unmarshal reads a list into a struct, with the tags of howett.net/plist. It reads only the keys
// that the struct has. Shared parts of a binary list may expand without bound, so into must not
// contain an empty interface unless the list is known to be XML.
func Unmarshal(data []byte, into any) (err error) {
	if bytes.HasPrefix(data, []byte("bplist")) {
		if len(data) > maxBinary {
			return fmt.Errorf("binary property list of more than %d bytes", maxBinary)
		}
	} else if !flat(data) {
		return errors.New("property list with too many levels")
	}
	defer func() { // the library does not check every offset of a damaged binary list
		if p := recover(); p != nil {
			err = fmt.Errorf("damaged property list: %v", p)
		}
	}()
	if _, err := plist.Unmarshal(data, into); err != nil {
		return fmt.Errorf("property list: %w", err)
	}
	return nil
}

// flat reports whether at no point more than maxDepth elements are open. It does not distinguish
// the contents of texts and comments, so it may reject a strange list.
func flat(data []byte) bool {
	if IsXML(data) {
		return flatXML(data)
	}
	depth := 0
	for _, c := range data {
		switch c {
		case '(', '{':
			if depth++; depth > maxDepth {
				return false
			}
		case ')', '}':
			depth = max(0, depth-1)
		}
	}
	return true
}

// IsXML reports whether the list is XML.
func IsXML(data []byte) bool {
	data = bytes.TrimPrefix(bytes.TrimLeft(data, " \t\r\n"), []byte("\xEF\xBB\xBF"))
	return bytes.HasPrefix(data, []byte("<?xml")) || bytes.HasPrefix(data, []byte("<!DOCTYPE")) ||
		bytes.HasPrefix(data, []byte("<plist"))
}

func flatXML(data []byte) bool {
	depth := 0
	for {
		_, rest, found := bytes.Cut(data, []byte("<"))
		if !found {
			return true
		}
		data = rest
		if len(data) == 0 || data[0] == '?' || data[0] == '!' {
			continue
		}
		if data[0] == '/' {
			depth = max(0, depth-1)
			continue
		}
		if end := bytes.IndexByte(data, '>'); end > 0 && data[end-1] == '/' {
			continue
		}
		if depth++; depth > maxDepth {
			return false
		}
	}
}
