package software

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
)

// paragraphs reads a file of paragraphs of "Name: value" lines, which empty lines separate: dpkg's status (deb822(5))
// and apk's installed (apk-installed). Only the fields with the given names are kept, and of a folded field, whose
// value goes on in lines that begin with a space, only the first line.
type paragraphs struct {
	reader *bufio.Reader
	names  []string
	fold   bool // names are not case sensitive

	values [][]byte // of the current paragraph, in the order of names, without the space around them
	broken error    // why the current paragraph is not what a package manager writes; nil if it is
	line   int      // number of the line read last
	lines  int      // of the current paragraph
	// complete says whether the file ended as package managers end it: with the empty line after a paragraph, or with
	// nothing at all. It holds once next has returned false.
	complete bool
}

// bufferSize also bounds the length of lines. Long ones, of dependencies, have some 10 kB.
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

// next goes on to the next paragraph; false at the end of the file, or when it cannot be read.
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

// readLine reads a line without its ending; nothing of one that is too long. The last line of a file that ends
// within it comes with io.EOF.
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

// skipLine skips what is left of a line that begins with start and is too long. That is no harm where nobody wants
// the line.
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

// continues says whether a line goes on with the value of the field before it.
func continues(line []byte) bool { return line[0] == ' ' || line[0] == '\t' }

// take takes a line's value. The first of two values of a field counts: two paragraphs may have run into one.
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

// letterCase is the bit in which small and capital letters differ.
const letterCase = 0x20

// index finds a field's place; -1 if it is not wanted.
func (p *paragraphs) index(name []byte) int {
	for i, known := range p.names {
		if len(name) != len(known) || (name[0]^known[0])&^letterCase != 0 { // nearly always
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
