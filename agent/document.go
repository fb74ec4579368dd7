package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"runtime"
	"slices"
	"strconv"

	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/musterhq/muster/agent/section"
	"github.com/musterhq/muster/internal/inventory"
	"github.com/musterhq/muster/internal/wire"
)

// document is an inventory as the commands print it.
type document struct {
	agent    agentInfo
	sections []sectionView
}

// agentInfo identifies the program that made the document. OS and Arch are the platform it was
// built for, as GOOS and GOARCH.
type agentInfo struct {
	Version string `json:"version"`
	OS      string `json:"os"`
	Arch    string `json:"arch"`
}

// sectionView is a section after the encoding of the wire, so that the output is exactly what a
// collector would receive.
type sectionView struct {
	section.Report
	kind     *wire.Section
	set      wire.Set
	verdicts []inventory.Verdict
}

func newDocument(reports []section.Report) (document, error) {
	doc := document{agent: agentInfo{Version: version(), OS: runtime.GOOS, Arch: runtime.GOARCH}}
	for _, r := range reports {
		kind, ok := wire.Lookup(r.Section)
		if !ok {
			return document{}, fmt.Errorf("section %q is not in the .proto", r.Section)
		}
		view := sectionView{Report: r, kind: kind}
		view.set, view.verdicts = kind.NewSet(r.Items)
		doc.sections = append(doc.sections, view)
	}
	return doc, nil
}

// items calls yield for each item, with its facts and readings in one message.
func (s sectionView) items(yield func(i int, item protoreflect.Message) error) error {
	for i, e := range s.set.Items() {
		item, err := s.kind.Decode(slices.Concat(e.Facts, e.Readings))
		if err != nil {
			return err
		}
		if err := yield(i, item); err != nil {
			return err
		}
	}
	return nil
}

// outputTable is the output format for people. The other format is JSON.
const outputTable = "table"

// render writes the sections in the given format.
func render(out io.Writer, format string, reports []section.Report) error {
	doc, err := newDocument(reports)
	if err != nil {
		return err
	}
	w := bufio.NewWriterSize(out, 64<<10)
	if format == outputTable {
		err = doc.writeTables(w)
	} else {
		err = doc.writeJSON(w)
	}
	if err != nil {
		return err
	}
	return w.Flush()
}

// writeJSON writes one item per line, so that a diff of two documents works line by line.
func (d document) writeJSON(w *bufio.Writer) error {
	write(w, "{\n  \"agent\": ", quote(d.agent), ",\n  \"sections\": {")
	for i, s := range d.sections {
		write(w, comma(i), "\n    ", quote(s.Section), ": {\n")
		if err := s.writeJSON(w); err != nil {
			return err
		}
		write(w, "\n    }")
	}
	write(w, "\n  }\n}\n")
	return nil
}

func (s sectionView) writeJSON(w *bufio.Writer) error {
	write(w, "      \"status\": ", quote(s.Status))
	if s.Message != "" {
		write(w, ",\n      \"message\": ", quote(s.Message))
	}
	write(w, ",\n      \"duration_ms\": ", strconv.FormatInt(s.Duration.Milliseconds(), 10))
	if len(s.verdicts) > 0 {
		write(w, ",\n      \"verdicts\": ", quote(s.verdicts))
	}
	write(w, ",\n      \"items\": [")
	var line []byte
	err := s.items(func(i int, item protoreflect.Message) error {
		write(w, comma(i), "\n        ")
		line = wire.AppendJSON(line[:0], item)
		_, err := w.Write(line)
		return err
	})
	if len(s.set.Items()) > 0 {
		write(w, "\n      ")
	}
	write(w, "]")
	return err
}

func comma(i int) string {
	if i == 0 {
		return ""
	}
	return ","
}

// quote returns v as JSON. It panics if v has no JSON form; callers pass strings and structs of
// strings.
func quote(v any) string {
	text, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return string(text)
}

// write writes texts. The writer keeps its first error and returns it from Flush.
func write(w *bufio.Writer, texts ...string) {
	for _, text := range texts {
		_, _ = w.WriteString(text)
	}
}
