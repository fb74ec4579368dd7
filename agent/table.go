package main

import (
	"bufio"
	"fmt"
	"strings"
	"text/tabwriter"
	"time"
	"unicode"

	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/known/timestamppb"
)

// maxCell is the maximum length of a table cell, in characters. Longer cells are cut.
const maxCell = 48

// writeTables writes each section as a table. A single item becomes lines of name and value.
// Several items become rows with the columns that at least one of them fills.
func (d document) writeTables(w *bufio.Writer) error {
	for i, s := range d.sections {
		if i > 0 {
			write(w, "\n")
		}
		items, err := s.messages()
		if err != nil {
			return err
		}
		write(w, s.heading(len(items)), "\n")
		t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
		if len(items) == 1 {
			writeLines(t, items[0])
		} else {
			writeRows(t, items)
		}
		if err := t.Flush(); err != nil {
			return err
		}
	}
	return nil
}

func (s sectionView) messages() ([]protoreflect.Message, error) {
	var list []protoreflect.Message
	err := s.items(func(_ int, item protoreflect.Message) error {
		list = append(list, item)
		return nil
	})
	return list, err
}

// heading returns e.g. "memory: ok, 4 items, 2 ms", then the section's message and verdicts.
func (s sectionView) heading(items int) string {
	count := fmt.Sprintf("%d items", items)
	if items == 1 {
		count = "1 item"
	}
	lines := []string{fmt.Sprintf("%s: %s, %s, %d ms", s.Section, s.Status, count, s.Duration.Milliseconds())}
	if s.Message != "" {
		lines = append(lines, plain(s.Message))
	}
	for _, v := range s.verdicts {
		lines = append(lines, fmt.Sprintf("%s was %s: %s", plain(v.Item), v.Outcome, plain(v.Reason)))
	}
	return strings.Join(lines, "\n  ")
}

func writeLines(t *tabwriter.Writer, item protoreflect.Message) {
	for _, f := range filled([]protoreflect.Message{item}) {
		_, _ = fmt.Fprintf(t, "  %s\t%s\n", f.Name(), cell(item, f))
	}
}

func writeRows(t *tabwriter.Writer, items []protoreflect.Message) {
	columns := filled(items)
	row := func(value func(f protoreflect.FieldDescriptor) string) {
		cells := make([]string, len(columns))
		for i, f := range columns {
			cells[i] = value(f)
		}
		_, _ = fmt.Fprintf(t, "  %s\n", strings.Join(cells, "\t"))
	}
	if len(items) > 0 {
		row(func(f protoreflect.FieldDescriptor) string { return strings.ToUpper(string(f.Name())) })
	}
	for _, item := range items {
		row(func(f protoreflect.FieldDescriptor) string { return cell(item, f) })
	}
}

// filled returns the fields that at least one item has, in the order of the .proto.
func filled(items []protoreflect.Message) []protoreflect.FieldDescriptor {
	if len(items) == 0 {
		return nil
	}
	var list []protoreflect.FieldDescriptor
	fields := items[0].Descriptor().Fields()
	for i := range fields.Len() {
		for _, item := range items {
			if item.Has(fields.Get(i)) {
				list = append(list, fields.Get(i))
				break
			}
		}
	}
	return list
}

func cell(item protoreflect.Message, f protoreflect.FieldDescriptor) string {
	if !item.Has(f) {
		return ""
	}
	value := item.Get(f)
	if f.IsList() {
		var texts []string
		for i := range value.List().Len() {
			texts = append(texts, value.List().Get(i).String())
		}
		return cut(strings.Join(texts, ", "))
	}
	if f.Message() != nil {
		if at, ok := value.Message().Interface().(*timestamppb.Timestamp); ok {
			return at.AsTime().UTC().Format(time.RFC3339)
		}
	}
	return cut(value.String())
}

func cut(text string) string {
	text = plain(text)
	if runes := []rune(text); len(runes) > maxCell {
		return string(runes[:maxCell-1]) + "…"
	}
	return text
}

// plain replaces control characters, so that a value cannot send escape sequences to the terminal.
// White space becomes a blank.
func plain(text string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r):
			return ' '
		case unicode.IsControl(r):
			return unicode.ReplacementChar
		default:
			return r
		}
	}, text)
}
