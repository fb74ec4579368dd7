package importer

import (
	"fmt"
	"strings"
)

// lines converts offsets of a text into lines. Offsets must be asked for in ascending order.
type lines struct {
	data   string
	offset int
	line   int // of offset, from 1
	start  int // of the line
}

func newLines(data string) *lines { return &lines{data: data, line: 1} }

// to returns the line of an offset, from 1.
func (l *lines) to(offset int) int {
	offset = min(offset, len(l.data))
	for l.offset < offset {
		next := strings.IndexByte(l.data[l.offset:offset], '\n')
		if next < 0 {
			l.offset = offset
			break
		}
		l.offset += next + 1
		l.start = l.offset
		l.line++
	}
	return l.line
}

// at returns the position of an offset as text; columns count bytes, from 1.
func (l *lines) at(offset int) string {
	line := l.to(offset)
	return fmt.Sprintf("line %d, column %d", line, min(offset, len(l.data))-l.start+1)
}
