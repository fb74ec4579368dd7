package profiler

import "strings"

// titles are the headings of the data types in a text.
var titles = map[string]string{
	"Applications":      "SPApplicationsDataType",
	"Graphics/Displays": "SPDisplaysDataType",
	"Hardware":          "SPHardwareDataType",
	"Memory":            "SPMemoryDataType",
	"NVMExpress":        "SPNVMeDataType",
	"Power":             "SPPowerDataType",
	"SATA":              "SPSerialATADataType",
	"SATA/SATA Express": "SPSerialATADataType",
	"Serial-ATA":        "SPSerialATADataType",
	"Software":          "SPSoftwareDataType",
	"USB":               "SPUSBDataType",
}

// level is a node whose lines are being read.
type level struct {
	indent int // of its heading
	fields int // indent of its fields; -1: none so far
	node   *Node
}

// parseText reads the indented text that system_profiler prints by default:
//
//	Hardware:
//
//	    Hardware Overview:
//
//	      Model Name: Mac mini
//
// Values may contain line feeds. A line that is neither a heading nor a field where one can be
// belongs to the value before it and is skipped.
func parseText(text string) Report {
	r := &textReport{tops: map[string]*Node{}}
	var open []level
	lines := strings.Split(strings.ReplaceAll(text, "\r\n", "\n"), "\n")
	for i, line := range lines {
		content := strings.TrimLeft(line, " ")
		if content == "" {
			continue
		}
		indent := len(line) - len(content)
		title, isHeading := heading(content, lines[i+1:], indent)
		if indent == 0 {
			if isHeading && isSeparate(lines, i) {
				open = r.begin(titles[title])
			}
			continue
		}
		if len(open) == 0 {
			continue
		}
		if isHeading {
			open = addNode(open, indent, title)
		} else if name, value, ok := strings.Cut(content, ":"); ok {
			open = addField(open, indent, name, strings.TrimSpace(value))
		}
	}
	return r.report()
}

// textReport has the node of each data type, whose things are below it.
type textReport struct{ tops map[string]*Node }

// begin returns the levels at the beginning of a data type, none for one that is not known.
func (r *textReport) begin(dataType string) []level {
	if dataType == "" {
		return nil
	}
	if r.tops[dataType] == nil {
		r.tops[dataType] = &Node{}
	}
	return []level{{indent: 0, fields: -1, node: r.tops[dataType]}}
}

func (r *textReport) report() Report {
	report := Report{}
	for dataType, top := range r.tops {
		if len(top.fields) > 0 { // a single thing without a heading, as soldered memory
			report[dataType] = []Node{{fields: top.fields}}
		}
		report[dataType] = append(report[dataType], top.nodes[mainList]...)
	}
	return report
}

// isSeparate reports whether a line is between empty lines. The others that begin at the margin are
// parts of values.
func isSeparate(lines []string, i int) bool {
	empty := func(i int) bool { return i < 0 || i >= len(lines) || strings.TrimSpace(lines[i]) == "" }
	return empty(i-1) && empty(i+1)
}

// heading reports whether a line is the heading of a node: it ends with a colon, and what follows
// is indented deeper or separated by an empty line.
func heading(content string, following []string, indent int) (title string, ok bool) {
	title, ok = strings.CutSuffix(content, ":")
	if !ok || len(following) == 0 {
		return "", false
	}
	next := strings.TrimLeft(following[0], " ")
	return title, next == "" || len(following[0])-len(next) > indent
}

// addNode closes the nodes that are not above a heading with this indent, and opens one.
func addNode(open []level, indent int, title string) []level {
	for len(open) > 1 && open[len(open)-1].indent >= indent {
		open = open[:len(open)-1]
	}
	parent := open[len(open)-1].node
	if parent.nodes == nil {
		parent.nodes = map[string][]Node{}
	}
	parent.nodes[mainList] = append(parent.nodes[mainList], Node{Name: title})
	list := parent.nodes[mainList]
	return append(open, level{indent: indent, fields: -1, node: &list[len(list)-1]})
}

// addField adds a field to the node whose fields have this indent. Without such a node the line is
// part of a value.
func addField(open []level, indent int, name, value string) []level {
	for last := len(open) - 1; last >= 0; last-- {
		l := &open[last]
		if l.fields < 0 && indent > l.indent {
			l.fields = indent
		}
		if l.fields != indent {
			continue
		}
		if l.node.fields == nil {
			l.node.fields = map[string][]string{}
		}
		if _, known := l.node.fields[name]; !known {
			l.node.fields[name] = []string{value}
		}
		return open[:last+1]
	}
	return open
}
