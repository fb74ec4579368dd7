// Package ioregistry reads objects of the I/O registry of macOS, which lists the devices, as ioreg
// prints them. It does not know what the properties mean. Start reading at Read.
package ioregistry

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"

	"github.com/musterhq/muster/agent/host"
	"github.com/musterhq/muster/agent/section/plist"
)

// Node has the properties of an object.
type Node map[string]any

// Read returns the objects that a command asks for. Systems other than macOS do not have the
// command.
func Read(ctx context.Context, h *host.Host, command host.Command) ([]Node, error) {
	data, err := h.Output(ctx, command)
	if err != nil {
		return nil, err
	}
	nodes, err := Parse(data)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", command, err)
	}
	return nodes, nil
}

// Parse reads the property list that ioreg prints. ioreg prints nothing if the registry has no such
// object; Parse then returns no nodes.
func Parse(data []byte) ([]Node, error) {
	if len(bytes.TrimSpace(data)) == 0 {
		return nil, nil
	}
	if !plist.IsXML(data) {
		return nil, errors.New("not a property list in XML")
	}
	var nodes []Node
	if err := plist.Unmarshal(data, &nodes); err != nil {
		return nil, err
	}
	return nodes, nil
}

// Text returns the first of the named properties that is a text. The firmware's texts are data that
// end with a zero.
func (n Node) Text(names ...string) string {
	for _, name := range names {
		text := ""
		switch value := n[name].(type) {
		case string:
			text = value
		case []byte:
			text, _, _ = strings.Cut(strings.ToValidUTF8(string(value), "\uFFFD"), "\x00")
		}
		if text = strings.TrimSpace(text); text != "" {
			return text
		}
	}
	return ""
}

// Number returns the first of the named properties that is a number. Numbers of the firmware are
// data, with the lowest byte first. Numbers of 32 bits may have the highest bit in all higher ones.
func (n Node) Number(names ...string) (value uint64, known bool) {
	for _, name := range names {
		switch value := n[name].(type) {
		case uint64:
			return value, true
		case int64:
			return uint64(value), true //nolint:gosec // the complement, as in the texts of ioreg
		case []byte:
			if len(value) == 4 {
				return uint64(binary.LittleEndian.Uint32(value)), true
			}
		}
	}
	return 0, false
}

// Hex returns a number of the firmware as that many hexadecimal digits, or "" if there is none or
// it is longer.
func (n Node) Hex(name string, digits int) string {
	value, known := n.Number(name)
	if text := fmt.Sprintf("%0*x", digits, value); known && len(text) == digits {
		return text
	}
	return ""
}

// Yes reports whether a property is true. known is false if the object does not have it.
func (n Node) Yes(name string) (yes, known bool) {
	switch value := n[name].(type) {
	case bool:
		return value, true
	case string:
		return strings.EqualFold(value, "yes"), true
	}
	return false, false
}

// Children returns the objects directly below this one, as far as the command asked for them.
func (n Node) Children() []Node {
	list, _ := n["IORegistryEntryChildren"].([]any)
	var children []Node
	for _, value := range list {
		if child, ok := value.(map[string]any); ok {
			children = append(children, child)
		}
	}
	return children
}

// Group returns the properties in a property.
func (n Node) Group(name string) Node {
	group, _ := n[name].(map[string]any)
	return group
}
