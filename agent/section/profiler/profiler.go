// Package profiler reads reports of system_profiler of macOS: property lists, JSON, English text.
// It does not know what the fields mean. Start reading at Parse.
package profiler

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/musterhq/muster/agent/section/plist"
)

// Report has the top nodes of each data type, e.g. of "SPHardwareDataType".
type Report map[string][]Node

// Node is a thing that the report describes.
type Node struct {
	Name   string
	fields map[string][]string
	nodes  map[string][]Node // lists of things by field; "_items" is the main one
}

// Text returns the first of the named fields that the node has. The text of a report has other
// names than its data, so callers list both.
func (n *Node) Text(names ...string) string {
	for _, name := range names {
		if values := n.fields[name]; len(values) > 0 {
			return strings.TrimSpace(values[0])
		}
	}
	return ""
}

// Nodes returns the things in the named field. In a text they have no field and are all "_items".
func (n *Node) Nodes(field string) []Node { return n.nodes[field] }

// All calls yield for each node of a data type and for those below its items.
func (r Report) All(dataType string) func(yield func(*Node) bool) {
	return func(yield func(*Node) bool) { walk(r[dataType], yield) }
}

func walk(nodes []Node, yield func(*Node) bool) bool {
	for i := range nodes {
		if !yield(&nodes[i]) || !walk(nodes[i].nodes[mainList], yield) {
			return false
		}
	}
	return true
}

const mainList = "_items"

// ErrFormat reports that a file is not a report of system_profiler.
var ErrFormat = errors.New("not a report of system_profiler")

// Parse reads a report in any of its formats.
func Parse(data []byte) (Report, error) {
	text := strings.TrimPrefix(string(data), "\uFEFF")
	var report Report
	var err error
	switch {
	case strings.HasPrefix(text, "bplist"):
		return nil, fmt.Errorf("%w: system_profiler writes no binary property list", ErrFormat)
	case plist.IsXML(data):
		report, err = parseXML(data)
	case strings.HasPrefix(strings.TrimSpace(text), "{"):
		report, err = parseJSON([]byte(text))
	default:
		report = parseText(text)
	}
	if err == nil && len(report) == 0 {
		err = ErrFormat
	}
	return report, err
}

func parseXML(data []byte) (Report, error) {
	var types []struct {
		Name  string `plist:"_dataType"`
		Items []any  `plist:"_items"`
	}
	if err := plist.Unmarshal(data, &types); err != nil {
		return nil, err
	}
	report := Report{}
	for _, t := range types {
		if t.Name != "" {
			report[t.Name] = append(report[t.Name], nodesOf(t.Items)...)
		}
	}
	return report, nil
}

func parseJSON(data []byte) (Report, error) {
	var types map[string][]any
	if err := json.Unmarshal(data, &types); err != nil {
		return nil, fmt.Errorf("read JSON: %w", err)
	}
	report := Report{}
	for name, items := range types {
		report[name] = nodesOf(items)
	}
	return report, nil
}

// nodesOf skips what is not a thing.
func nodesOf(values []any) []Node {
	var nodes []Node
	for _, value := range values {
		if fields, ok := value.(map[string]any); ok {
			nodes = append(nodes, nodeOf(fields))
		}
	}
	return nodes
}

func nodeOf(values map[string]any) Node {
	n := Node{fields: map[string][]string{}, nodes: map[string][]Node{}}
	for name, value := range values {
		switch value := value.(type) {
		case []any:
			if nodes := nodesOf(value); len(nodes) > 0 {
				n.nodes[name] = nodes
				continue
			}
			for _, element := range value {
				if text, ok := scalar(element); ok {
					n.fields[name] = append(n.fields[name], text)
				}
			}
		case map[string]any:
			n.nodes[name] = []Node{nodeOf(value)}
		default:
			if text, ok := scalar(value); ok {
				n.fields[name] = []string{text}
			}
		}
	}
	n.Name = n.Text("_name")
	return n
}

func scalar(value any) (string, bool) {
	switch value := value.(type) {
	case string:
		return value, true
	case bool:
		return strconv.FormatBool(value), true
	case uint64:
		return strconv.FormatUint(value, 10), true
	case int64:
		return strconv.FormatInt(value, 10), true
	case float64:
		return strconv.FormatFloat(value, 'f', -1, 64), true
	case time.Time:
		return value.UTC().Format(time.RFC3339), true
	default:
		return "", false
	}
}
