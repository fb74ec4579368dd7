package importer

import (
	"fmt"
	"strings"
)

// node is an XML element or a JSON value, so that one reader serves both formats. An array becomes
// a sequence of nodes with the same name.
type node struct {
	name     string // lower case
	text     string // of a leaf, without space around it
	line     int    // where it begins, from 1
	children []*node
}

// get returns the text of the first child with that name, or "". n may be nil.
func (n *node) get(name string) string {
	if child := n.child(name); child != nil {
		return child.text
	}
	return ""
}

// first returns the first non-empty text of the children with these names.
func (n *node) first(names ...string) string {
	for _, name := range names {
		if text := n.get(name); text != "" {
			return text
		}
	}
	return ""
}

// child returns the first child with that name, or nil. n may be nil.
func (n *node) child(name string) *node {
	if n == nil {
		return nil
	}
	for _, child := range n.children {
		if child.name == name {
			return child
		}
	}
	return nil
}

// all returns the children with that name.
func (n *node) all(name string) []*node {
	if n == nil {
		return nil
	}
	var found []*node
	for _, child := range n.children {
		if child.name == name {
			found = append(found, child)
		}
	}
	return found
}

// builder creates nodes and enforces maxNodes and maxDepth.
type builder struct {
	names map[string]string // name → its lower-case form: a file has few names and many nodes
	slab  []node
	count int
	depth int
}

func newBuilder() *builder { return &builder{names: map[string]string{}} }

func (b *builder) node(name string, line int) (*node, error) {
	if b.count++; b.count > maxNodes {
		return nil, fmt.Errorf("the file has more than %d values", maxNodes)
	}
	if len(b.slab) == 0 {
		b.slab = make([]node, 512)
	}
	n := &b.slab[0]
	b.slab = b.slab[1:]
	n.name, n.line = b.lower(name), line
	return n, nil
}

func (b *builder) lower(name string) string {
	lower, known := b.names[name]
	if !known {
		lower = strings.ToLower(name)
		b.names[name] = lower
	}
	return lower
}

var errTooDeep = fmt.Errorf("the file is nested more than %d levels deep", maxDepth)

// down enters a level; the caller leaves it with up.
func (b *builder) down() error {
	if b.depth++; b.depth > maxDepth {
		return errTooDeep
	}
	return nil
}

func (b *builder) up() { b.depth-- }
