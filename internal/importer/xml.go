package importer

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"
)

// readXML reads a message of a FusionInventory or an OCS agent.
func readXML(text string, _ Options) ([]Document, error) {
	p := xmlParser{builder: newBuilder(), decoder: xml.NewDecoder(strings.NewReader(text))}
	p.decoder.CharsetReader = func(_ string, r io.Reader) (io.Reader, error) { return r, nil } // the text is UTF-8
	root, err := p.root()
	if err != nil {
		line, column := p.decoder.InputPos()
		return nil, fmt.Errorf("line %d, column %d: %w", line, column, plainXML(err))
	}
	return messageOfXML(root)
}

// characterReference matches references such as &#31; and &#x1F;.
var characterReference = regexp.MustCompile(`&#(x[0-9A-Fa-f]{1,9}|[0-9]{1,9});`)

// replaceForbidden replaces the characters that XML forbids (XML 1.0 §2.2), and references to them,
// by U+FFFD, with a warning. One such character in the name of one program would otherwise hide a
// machine for as long as it reports the program.
func replaceForbidden(text string) (clean string, warnings []string) {
	count, first := 0, 0
	replace := func(offset int) {
		if count++; count == 1 {
			first = lineOf(text, offset)
		}
	}
	if strings.IndexFunc(text, isForbidden) >= 0 {
		var b strings.Builder
		b.Grow(len(text))
		for offset, r := range text {
			if isForbidden(r) {
				replace(offset)
				r = utf8.RuneError
			}
			b.WriteRune(r)
		}
		text = b.String()
	}
	if strings.Contains(text, "&#") {
		at := 0
		text = characterReference.ReplaceAllStringFunc(text, func(reference string) string {
			at += strings.Index(text[at:], reference)
			if !refersToForbidden(reference) {
				return reference
			}
			replace(at)
			return string(utf8.RuneError)
		})
	}
	if count > 0 {
		const replaced = "line %d: %d characters that XML forbids were replaced by U+FFFD"
		warnings = []string{fmt.Sprintf(replaced, first, count)}
	}
	return text, warnings
}

// isForbidden reports whether a character is not allowed in XML. Surrogates are not characters of
// Go strings.
func isForbidden(r rune) bool {
	return r < 0x20 && r != '\t' && r != '\n' && r != '\r' || r == 0xfffe || r == 0xffff ||
		r >= 0xd800 && r < 0xe000 || r > utf8.MaxRune
}

func refersToForbidden(reference string) bool {
	digits, base := reference[2:len(reference)-1], 10
	if hex, is := strings.CutPrefix(digits, "x"); is {
		digits, base = hex, 16
	}
	code, err := strconv.ParseInt(digits, base, 32)
	return err != nil || isForbidden(rune(code))
}

// plainXML returns the decoder's error without its line, which is not always set.
func plainXML(err error) error {
	if syntax, is := errors.AsType[*xml.SyntaxError](err); is {
		return errors.New(syntax.Msg)
	}
	return err
}

// xmlParser builds nodes from the decoder's raw tokens, because it needs no namespaces, and checks
// itself that elements are closed in order. It rejects a document type, and with it all custom
// entities, internal and external.
type xmlParser struct {
	*builder

	decoder *xml.Decoder
	open    []*node
	tags    []string // the names of open as they are written
	text    []byte   // of the innermost open element
}

func (p *xmlParser) root() (*node, error) {
	var root *node
	for {
		token, err := p.decoder.RawToken()
		if errors.Is(err, io.EOF) {
			return root, p.complete(root)
		}
		if err != nil {
			return nil, err
		}
		if n, err := p.take(token); err != nil {
			return nil, err
		} else if n != nil {
			if root != nil {
				return nil, fmt.Errorf("a second root element %s", strings.ToUpper(n.name))
			}
			root = n
		}
	}
}

// complete returns an error if the file is truncated or empty.
func (p *xmlParser) complete(root *node) error {
	if root == nil {
		return errors.New("the file is empty; want the element REQUEST")
	}
	if len(p.open) > 0 {
		return fmt.Errorf("the file ends within the element %s", p.tags[len(p.tags)-1])
	}
	return nil
}

// take processes a token. It returns the root element when it begins.
func (p *xmlParser) take(token xml.Token) (*node, error) {
	switch token := token.(type) {
	case xml.StartElement:
		return p.start(token.Name.Local)
	case xml.EndElement:
		return nil, p.end(token.Name.Local)
	case xml.CharData:
		if len(p.open) > 0 {
			p.text = append(p.text, token...)
		} else if len(bytes.TrimSpace(token)) > 0 {
			return nil, errors.New("text outside an element; want the element REQUEST")
		}
	case xml.Directive:
		return nil, errors.New("a document type is not allowed")
	}
	return nil, nil //nolint:nilnil // most tokens do not begin the root element
}

func (p *xmlParser) start(name string) (*node, error) {
	if err := p.down(); err != nil {
		return nil, err
	}
	line, _ := p.decoder.InputPos()
	n, err := p.node(name, line)
	if err != nil {
		return nil, err
	}
	p.text = p.text[:0]
	p.open, p.tags = append(p.open, n), append(p.tags, name)
	if len(p.open) == 1 {
		return n, nil
	}
	parent := p.open[len(p.open)-2]
	parent.children = append(parent.children, n)
	return nil, nil //nolint:nilnil // it is not the root element
}

// end closes the innermost element. Text between child elements is ignored.
func (p *xmlParser) end(name string) error {
	last := len(p.open) - 1
	if last < 0 || p.tags[last] != name {
		return fmt.Errorf("the end tag %s does not match the innermost open element", name)
	}
	p.up()
	if n := p.open[last]; len(n.children) == 0 {
		n.text = string(bytes.TrimSpace(p.text))
	}
	p.open, p.tags = p.open[:last], p.tags[:last]
	p.text = p.text[:0]
	return nil
}
