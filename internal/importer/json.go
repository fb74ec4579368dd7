package importer

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
)

// readJSON reads the inventories of a GLPI agent: one object, several concatenated ones, or an
// array of objects.
func readJSON(text string, _ Options) ([]Document, error) {
	roots, err := jsonRoots(text)
	if err != nil {
		return nil, err
	}
	if len(roots) == 0 {
		return nil, errors.New("line 1: the file is empty; want a JSON object")
	}
	var docs []Document
	for i, root := range roots {
		found, err := messageOfJSON(root)
		if err != nil {
			return nil, fmt.Errorf("object %d: %w", i+1, err)
		}
		for j := range found {
			found[j].Position = fmt.Sprintf("object %d", i+1)
		}
		docs = append(docs, found...)
	}
	return docs, nil
}

// jsonRoots returns the top-level objects of the file.
func jsonRoots(data string) ([]*node, error) {
	p := jsonParser{builder: newBuilder(), data: data, lines: newLines(data)}
	if offset := tooDeep(data); offset >= 0 {
		return nil, fmt.Errorf("%s: %w", newLines(data).at(offset), errTooDeep)
	}
	decoder := json.NewDecoder(strings.NewReader(data))
	top := &node{}
	for {
		var value json.RawMessage
		if err := decoder.Decode(&value); errors.Is(err, io.EOF) {
			return top.children, nil
		} else if err != nil {
			return nil, jsonError(data, err)
		}
		// The decoder has checked the syntax, so the parser below only checks the contents.
		p.offset = int(decoder.InputOffset()) - len(value)
		if err := p.value(top, ""); err != nil {
			return nil, fmt.Errorf("%s: %w", newLines(data).at(p.offset), err)
		}
	}
}

// tooDeep returns the offset of the first bracket beyond maxDepth levels, or -1. It runs before the
// decoder, which keeps a state per level.
func tooDeep(data string) int {
	depth, quoted := 0, false
	for i := 0; i < len(data); i++ {
		switch c := data[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '{' || c == '[':
			if depth++; depth > maxDepth {
				return i
			}
		case c == '}' || c == ']':
			depth--
		}
	}
	return -1
}

// jsonError adds the position to a syntax error, and a plain message if the file is truncated.
func jsonError(data string, err error) error {
	if errors.Is(err, io.ErrUnexpectedEOF) {
		return fmt.Errorf("%s: the file ends within an object or an array", newLines(data).at(len(data)))
	}
	if syntax, is := errors.AsType[*json.SyntaxError](err); is {
		return fmt.Errorf("%s: %w", newLines(data).at(int(syntax.Offset)-1), err)
	}
	return err
}

// jsonParser builds nodes from values with valid syntax.
type jsonParser struct {
	*builder

	data   string
	offset int
	lines  *lines
}

// peek returns the first byte of the next value, after space, commas and colons.
func (p *jsonParser) peek() byte {
	for {
		switch c := p.data[p.offset]; c {
		case ' ', '\t', '\r', '\n', ',', ':':
			p.offset++
		default:
			return c
		}
	}
}

// value adds the next value to its parent. Nothing is added for null.
func (p *jsonParser) value(parent *node, name string) error {
	first := p.peek()
	if first == '[' {
		return p.array(parent, name)
	}
	if first != '{' && name == "" {
		return errors.New("want a JSON object")
	}
	n, err := p.node(name, p.lines.to(p.offset))
	if err != nil {
		return err
	}
	switch first {
	case '{':
		err = p.object(n)
	case '"':
		n.text = strings.TrimSpace(p.text())
	default:
		if n.text = p.word(); n.text == "null" {
			return nil
		}
	}
	parent.children = append(parent.children, n)
	return err
}

// array adds its elements to the parent; each of them gets the array's name.
func (p *jsonParser) array(parent *node, name string) error {
	if err := p.down(); err != nil {
		return err
	}
	p.offset++
	for p.peek() != ']' {
		if err := p.value(parent, name); err != nil {
			return err
		}
	}
	p.offset++
	p.up()
	return nil
}

// object reads the members of an object. A duplicate name is an error, because parsers disagree on
// which value counts.
func (p *jsonParser) object(n *node) error {
	if err := p.down(); err != nil {
		return err
	}
	p.offset++
	seen := names{}
	for p.peek() != '}' {
		key := p.lower(p.text())
		if !seen.add(key) {
			return fmt.Errorf("the object has the member %q twice", key)
		}
		if key == "" {
			return errors.New("a member has an empty name")
		}
		if err := p.value(n, key); err != nil {
			return err
		}
	}
	p.offset++
	p.up()
	return nil
}

// fewNames is up to how many names a list is searched faster than a map.
const fewNames = 32

// names is a set of names. Nearly all objects have few members, and for them a map costs more than
// the rest of the parser.
type names struct {
	few  []string
	many map[string]bool // nil: all names are in few
}

// add reports whether the name is new.
func (n *names) add(name string) bool {
	if n.many == nil && len(n.few) < fewNames {
		if slices.Contains(n.few, name) {
			return false
		}
		n.few = append(n.few, name)
		return true
	}
	if n.many == nil {
		n.many = make(map[string]bool, 2*fewNames)
		for _, known := range n.few {
			n.many[known] = true
		}
	}
	if n.many[name] {
		return false
	}
	n.many[name] = true
	return true
}

// text reads a string.
func (p *jsonParser) text() string {
	begin := p.offset
	escaped := false
	for p.offset++; p.data[p.offset] != '"'; p.offset++ {
		if p.data[p.offset] == '\\' {
			escaped = true
			p.offset++
		}
	}
	p.offset++
	if !escaped {
		return strings.Clone(p.data[begin+1 : p.offset-1])
	}
	var text string
	if err := json.Unmarshal([]byte(p.data[begin:p.offset]), &text); err != nil {
		panic(err) // the decoder has checked its syntax
	}
	return text
}

// word reads a number, true, false or null.
func (p *jsonParser) word() string {
	begin := p.offset
	for p.offset < len(p.data) && !strings.ContainsRune(" \t\r\n,:]}", rune(p.data[p.offset])) {
		p.offset++
	}
	return strings.Clone(p.data[begin:p.offset])
}
