package importer

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strings"
)

// readXML reads a message of a FusionInventory or an OCS agent.
func readXML(data []byte, _ Options) ([]Document, error) {
	p := xmlParser{builder: newBuilder(), decoder: xml.NewDecoder(bytes.NewReader(bytes.TrimPrefix(data, []byte(byteOrderMark))))}
	p.decoder.CharsetReader = charsetReader
	root, err := p.root()
	if err != nil {
		line, column := p.decoder.InputPos()
		return nil, fmt.Errorf("line %d, column %d: %w", line, column, plainXML(err))
	}
	return messageOfXML(root)
}

// plainXML is the decoder's error without the line, which it does not always know.
func plainXML(err error) error {
	if syntax, is := errors.AsType[*xml.SyntaxError](err); is {
		return errors.New(syntax.Msg)
	}
	return err
}

// xmlParser makes nodes of XML. It takes the decoder's raw tokens, for it needs no namespaces, and sees to it itself
// that elements end in order. A document type is refused: with it go entities, whether their text stands in the file
// or elsewhere.
type xmlParser struct {
	*builder

	decoder *xml.Decoder
	open    []*node
	tags    []string // their names as they are written
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
				return nil, fmt.Errorf("a second element %s behind the first, want one", strings.ToUpper(n.name))
			}
			root = n
		}
	}
}

// complete says what is missing at the end of the file.
func (p *xmlParser) complete(root *node) error {
	if root == nil {
		return errors.New("nothing in it, want the element REQUEST")
	}
	if len(p.open) > 0 {
		return fmt.Errorf("the file ends within the element %s", p.tags[len(p.tags)-1])
	}
	return nil
}

// take gives the outermost element when it begins.
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
			return nil, errors.New("text outside of an element, want the element REQUEST")
		}
	case xml.Directive:
		return nil, errors.New("a document type, which is not accepted")
	}
	return nil, nil //nolint:nilnil // most tokens begin no outermost element
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
	return nil, nil //nolint:nilnil // it is not the outermost
}

// end closes the innermost element. What stands between the elements of another is space.
func (p *xmlParser) end(name string) error {
	last := len(p.open) - 1
	if last < 0 || p.tags[last] != name {
		return fmt.Errorf("the end of an element %s, which is not the innermost", name)
	}
	p.up()
	if n := p.open[last]; len(n.children) == 0 {
		n.text = string(bytes.TrimSpace(p.text))
	}
	p.open, p.tags = p.open[:last], p.tags[:last]
	p.text = p.text[:0]
	return nil
}
