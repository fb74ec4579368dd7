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
	data = bytes.TrimPrefix(data, []byte(byteOrderMark))
	p := xmlParser{builder: newBuilder(), decoder: xml.NewDecoder(bytes.NewReader(data))}
	p.decoder.CharsetReader = charsetReader
	root, err := p.root()
	if err != nil {
		line, column := p.decoder.InputPos()
		return nil, fmt.Errorf("line %d, column %d: %w", line, column, plainXML(err))
	}
	return messageOfXML(root)
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
