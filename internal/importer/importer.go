// Package importer reads what other tools write: the inventories of the GLPI, FusionInventory and OCS agents, and tables
// of things as CSV. It turns them into items of our sections, attributes and identifiers, and says what it leaves out.
// It judges no identifier and stores nothing: a placeholder stays as it was written.
package importer

import (
	"fmt"
	"io"

	"google.golang.org/protobuf/proto"

	"github.com/musterhq/muster/internal/inventory"
)

// Document is one thing that a file tells of.
type Document struct {
	Source    string // "glpi", "fusioninventory", "ocs" or "csv"; with Options.Name behind a colon
	NativeKey string // what the source calls it: the agent's device id, or the key column(s) of a table
	Place     string // where in the file it stands: "line 12", "object 3", "row 7"

	// Sections are an inventory. A section that the file does not have is not among them: nothing is said of it.
	Sections []Section

	// Match is by what the thing is one that is known, where a mapping says so.
	Match inventory.Match

	// Observed is what the sections have no room for: class, attributes, identifiers that no section has, and parts.
	Observed inventory.Observed

	// Warnings say what was left out and why, with its place.
	Warnings []string

	// Notes are warnings about the file as a whole. They stand with its first document.
	Notes []string

	// Problem says why the document cannot be taken, though the file can be read: a row whose date is none, or whose key
	// is another's. It is the only field besides Source and Place then.
	Problem string
}

// Section is one section of an inventory.
type Section struct {
	Name   string
	Status inventory.Status // StatusPartial where an entry of the file could not be taken
	Items  []proto.Message  // messages of inventoryv1
}

// Options say how a file is to be read. The zero value reads every format.
type Options struct {
	// Name tells sources of one kind apart: the documents of a CSV file with the name "hr" have the source "csv:hr".
	Name string

	// Mapping says what the columns of a CSV file mean. Its zero value: known names of columns are recognized.
	Mapping Mapping

	// Attributes are declared ones beyond those built in, for the columns of a CSV file: by name, or by label.
	Attributes []inventory.Attribute

	// Classes are all that there are, for the classes of a CSV file: by name, or by label.
	Classes []inventory.Class
}

// What a file may hold. The limits keep a hostile file from filling the memory; whole fleets come as several files.
const (
	maxBytes = 64 << 20
	maxDepth = 32
	maxNodes = 1 << 20 // elements of XML, values of JSON
	maxRows  = 200_000
)

// format is one of the formats that are read.
type format struct {
	name, source string
	read         func(data []byte, o Options) ([]Document, error)
}

// formats lists them in the order in which they are shown.
func formats() []format {
	return []format{
		{"glpi-json", "glpi", readJSON},
		{"fusioninventory-xml", "fusioninventory", readXML},
		{"ocs-xml", "ocs", readXML},
		{"csv", "csv", readCSV},
	}
}

// Formats lists the names of the formats that Read knows.
func Formats() []string {
	var names []string
	for _, f := range formats() {
		names = append(names, f.name)
	}
	return names
}

// Read reads a whole file. An error says what is wrong with it and at which line, column or row; there are no
// documents then. An unknown format, a file over 64 MiB and a failing reader are errors too.
func Read(format string, r io.Reader, o Options) ([]Document, error) {
	for _, f := range formats() {
		if f.name != format {
			continue
		}
		data, err := io.ReadAll(io.LimitReader(r, maxBytes+1))
		if err != nil {
			return nil, fmt.Errorf("read %s: %w", format, err)
		}
		if len(data) > maxBytes {
			return nil, fmt.Errorf("read %s: the file has more than %d MiB", format, maxBytes>>20)
		}
		docs, err := f.read(data, o)
		if err != nil {
			return nil, fmt.Errorf("read %s: %w", format, err)
		}
		for i := range docs {
			docs[i].Source = sourceName(f.source, o.Name)
		}
		return docs, nil
	}
	return nil, fmt.Errorf("read %s: unknown format; known are %v", format, Formats())
}

func sourceName(source, name string) string {
	if name == "" {
		return source
	}
	return source + ":" + name
}
