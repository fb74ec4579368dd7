// Package importer reads the files of other tools: inventories of the GLPI, FusionInventory and OCS
// agents, and CSV tables of assets. It converts them into section items, attributes and
// identifiers, and warns about everything that it ignores.
//
// It never stores anything, and it never decides whether an identifier is usable: a placeholder
// such as "To be filled by O.E.M." stays as the file has it.
//
// Start with Read. The files json.go and xml.go parse a file into nodes, message.go converts the
// nodes of an inventory, and csv.go and table.go read a table.
package importer

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/musterhq/muster/internal/inventory"
)

// Document is one asset in a file: a machine with its inventory, a device, or a row of a table.
type Document struct {
	Source    string // inventory.ImportFormat.Source, with Options.Name behind a colon
	NativeKey string // the source's id: the agent's device id, or the key column(s) of a table
	Position  string // in the file: "line 12", "object 3", "row 7"

	// At is when an inventory was made. The agents write it without a time zone; it is read as UTC.
	// The zero time: the file has no date.
	At time.Time

	// Sections are the inventory. A section that the file does not have is missing here too: it is
	// unknown, not empty.
	Sections []Section

	// Match identifies an existing CI by the attribute that the mapping names. The zero value: by
	// evidence.
	Match inventory.Match

	// Observed has what no section holds: class, attributes, components, and identifiers that are
	// not attributes. The caller adds those that are (reconcile.WithIdentifiers).
	Observed inventory.Observed

	// Warnings list what was ignored and why, each with its position.
	Warnings []string

	// FileWarnings are about the file as a whole. Only its first document has them.
	FileWarnings []string

	// Problem is why the document is rejected although the file is readable: a row with an invalid
	// date, or with the key of another row. Only Source and Position are set then.
	Problem string
}

// Section is one section of an inventory.
type Section struct {
	Name   string
	Status inventory.Status // StatusPartial if an entry of the file was skipped
	Items  []proto.Message  // messages of inventoryv1
}

// Options are the settings of Read. The zero value works for every format.
type Options struct {
	// Name distinguishes sources with the same format: documents of a CSV file with the name "hr"
	// have the source "csv:hr".
	Name string

	// Encoding is the declared encoding of the file, such as "windows-1252". "": what the file or
	// the mapping declares, else UTF-8.
	Encoding string

	// Mapping defines the columns of a CSV file. The zero value recognizes well-known column names.
	Mapping Mapping

	// Attributes are the declared attributes. A CSV column with the name or label of one is
	// recognized.
	Attributes []inventory.Attribute

	// Classes are all CI classes. The class column of a CSV file may contain their names or labels.
	Classes []inventory.Class
}

// The limits of one file, so that a hostile file cannot exhaust the memory. A large fleet needs
// several files.
const (
	maxBytes   = 64 << 20
	maxDepth   = 32
	maxNodes   = 1 << 20 // elements of XML, values of JSON
	maxRows    = 200_000
	maxColumns = 1_000
)

// reader has the functions that decode and parse a file of a format.
type reader struct {
	decode func(data []byte, declared string) (text string, warnings []string, err error)
	read   func(text string, o Options) ([]Document, error)
}

// readers has the reader of each of inventory.ImportFormats.
var readers = map[string]reader{
	"glpi-json":           {decodeText, readJSON},
	"fusioninventory-xml": {decodeXML, readXML},
	"ocs-xml":             {decodeXML, readXML},
	"csv":                 {decodeText, readCSV},
}

// Formats lists the names that Read accepts.
func Formats() []string {
	var names []string
	for _, f := range inventory.ImportFormats() {
		names = append(names, f.Name)
	}
	return names
}

// Read reads a whole file. If it is malformed, Read returns no documents and an error with the
// line, column or row. An unknown format and a file over 64 MiB are errors too.
func Read(format string, r io.Reader, o Options) ([]Document, error) {
	formats := inventory.ImportFormats()
	i := slices.IndexFunc(formats, func(f inventory.ImportFormat) bool { return f.Name == format })
	if i < 0 {
		return nil, fmt.Errorf("read %s: unknown format; known are %v", format, Formats())
	}
	docs, err := readers[format].documents(r, o)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", format, err)
	}
	for n := range docs {
		docs[n].Source = sourceName(formats[i].Source, o.Name)
	}
	return docs, nil
}

func (f reader) documents(r io.Reader, o Options) ([]Document, error) {
	data, err := io.ReadAll(io.LimitReader(r, maxBytes+1))
	if err != nil {
		return nil, err
	}
	if len(data) > maxBytes {
		return nil, fmt.Errorf("the file has more than %d MiB; divide it into several files", maxBytes>>20)
	}
	text, warnings, err := f.decode(data, cmp.Or(o.Encoding, o.Mapping.Encoding))
	if err != nil {
		return nil, err
	}
	docs, err := f.read(text, o)
	if err != nil {
		return nil, err
	}
	if len(docs) > 0 {
		docs[0].FileWarnings = append(warnings, docs[0].FileWarnings...)
	}
	return docs, nil
}

func sourceName(source, name string) string {
	if name == "" {
		return source
	}
	return source + ":" + name
}
