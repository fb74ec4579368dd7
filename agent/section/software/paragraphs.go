package software

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
)

// paragraphs reads a file of "Name: value" lines in paragraphs separated by empty lines: dpkg's
// status (deb822(5)) and apk's installed (apk-installed). It keeps only the named fields. Of a
// folded field, which continues in lines that begin with a space, it keeps the first line.
type paragraphs struct {
	reader *bufio.Reader
	names  []string
	fold   bool // names are case-insensitive

	values [][]byte // of the current paragraph, in the order of names, trimmed
	broken error    // why the current paragraph is malformed; nil if it is not
	line   int      // number of the last line read
	lines  int      // number of lines in the current paragraph
	// complete reports whether the file ended with the empty line after a paragraph, or was empty.
	// It is valid after next has returned false.
	complete bool
}

// bufferSize also bounds the length of lines, in bytes. Long lines, of dependencies, have about 10
// kB.
const bufferSize = 32 << 10

func newParagraphs(r io.Reader, fold bool, names ...string) *paragraphs {
	return &paragraphs{
		reader: bufio.NewReaderSize(r, bufferSize),
		names:  names,
		fold:   fold,
		values: make([][]byte, len(names)),

		complete: true,
	}
}

// next reads the next paragraph. It returns false at the end of the file or after an error.
func (p *paragraphs) next() (bool, error) {
	for i := range p.values {
		p.values[i] = p.values[i][:0]
	}
	p.broken, p.lines = nil, 0
	for {
		line, err := p.readLine()
		if len(line) > 0 {
			p.lines++
			p.take(line)
		} else if err == nil && p.complete && p.lines > 0 {
			return true, nil
		}
		if errors.Is(err, io.EOF) {
			return p.lines > 0, nil
		}
		if err != nil {
			return false, err
		}
	}
}

// readLine returns a line without its line ending, or an empty line if it is too long. It returns
// the last line with io.EOF if that line has no ending.
func (p *paragraphs) readLine() ([]byte, error) {
	line, err := p.reader.ReadSlice('\n')
	p.line++
	switch {
	case err == nil:
		line = line[:len(line)-1]
	case errors.Is(err, bufio.ErrBufferFull):
		return nil, p.skipLine(line)
	case len(line) == 0:
		return nil, err
	}
	if n := len(line); n > 0 && line[n-1] == '\r' {
		line = line[:n-1]
	}
	p.complete = err == nil && len(line) == 0
	return line, err
}

// skipLine skips the rest of a line that is too long and begins with start. It is an error only if
// the line's field is wanted.
func (p *paragraphs) skipLine(start []byte) error {
	p.lines++
	name, _, named := bytes.Cut(start, []byte{':'})
	if !continues(start) && (!named || p.index(name) >= 0) {
		p.fail("line too long")
	}
	p.complete = false
	for {
		if _, err := p.reader.ReadSlice('\n'); !errors.Is(err, bufio.ErrBufferFull) {
			return err
		}
	}
}

// continues reports whether a line continues the value of the previous field.
func continues(line []byte) bool { return line[0] == ' ' || line[0] == '\t' }

// take stores a line's value. It keeps the first value of a repeated field, because two paragraphs
// may be joined by damage.
func (p *paragraphs) take(line []byte) {
	if continues(line) {
		return
	}
	name, value, ok := bytes.Cut(line, []byte{':'})
	if !ok {
		p.fail("line without a colon")
		return
	}
	i := p.index(name)
	if i < 0 {
		return
	}
	if len(p.values[i]) > 0 {
		p.fail("second value of " + p.names[i])
		return
	}
	p.values[i] = append(p.values[i], bytes.TrimSpace(value)...)
}

// letterCase is the bit that distinguishes upper and lower case in ASCII.
const letterCase = 0x20

// index returns a field's index in names, or -1 if it is not wanted.
func (p *paragraphs) index(name []byte) int {
	for i, known := range p.names {
		if len(name) != len(known) || (name[0]^known[0])&^letterCase != 0 { // the common case
			continue
		}
		if string(name) == known || p.fold && strings.EqualFold(string(name), known) {
			return i
		}
	}
	return -1
}

func (p *paragraphs) fail(why string) {
	if p.broken == nil {
		p.broken = fmt.Errorf("line %d: %s", p.line, why)
	}
}
