package importer_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/google/go-cmp/cmp"

	"github.com/musterhq/muster/internal/importer"
)

// wide encodes a text as UTF-16.
func wide(text string, bigEndian bool) []byte {
	var data []byte
	for _, unit := range utf16.Encode([]rune(text)) {
		if bigEndian {
			data = append(data, byte(unit>>8), byte(unit))
		} else {
			data = append(data, byte(unit), byte(unit>>8))
		}
	}
	return data
}

// TestEncodings has the encodings in which spreadsheets save tables.
func TestEncodings(t *testing.T) {
	t.Parallel()
	const text = "Seriennummer;Standort\nS1;Köln €\n"
	for _, c := range []struct {
		name, declared string
		data           []byte
		location       string
	}{
		{"UTF-8", "", []byte(text), "Köln €"},
		{"UTF-8 with a mark", "", []byte("\uFEFF" + text), "Köln €"},
		{"a mark wins", "windows-1252", []byte("\uFEFF" + text), "Köln €"},
		{"UTF-16LE", "", wide("\uFEFF"+text, false), "Köln €"},
		{"UTF-16BE", "", wide("\uFEFF"+text, true), "Köln €"},
		{"UTF-16LE without a mark", "utf-16le", wide(text, false), "Köln €"},
		{"Windows-1252", "windows-1252", []byte("Seriennummer;Standort\nS1;K\xf6ln \x80\n"), "Köln €"},
		{"another name of it", "Latin1", []byte("Seriennummer;Standort\nS1;K\xf6ln \x80\n"), "Köln €"},
		{"Windows-1251", "windows-1251", []byte("serial;location\nS1;\xcc\xee\xf1\xea\xe2\xe0\n"), "Москва"},
		{"Shift_JIS", "shift_jis", []byte("serial;location\nS1;\x93\x8c\x8b\x9e\n"), "\u6771\u4eac"},
		{"GBK", "gbk", []byte("serial;location\nS1;\xc9\xcf\xba\xa3\n"), "\u4e0a\u6d77"},
		{"a code page of DOS", "cp850", []byte("serial;location\nS1;K\x94ln\n"), "Köln"},
	} {
		docs := read(t, "csv", c.data, importer.Options{Encoding: c.declared})
		if len(docs) != 1 || docs[0].Observed.Attributes["location"] != c.location || len(warningsOf(docs)) > 0 {
			t.Errorf("%s: %v", c.name, docs)
		}
		if c.declared == "" {
			continue
		}
		docs = read(t, "csv", c.data, importer.Options{Mapping: importer.Mapping{Encoding: c.declared}})
		if len(docs) != 1 || docs[0].Observed.Attributes["location"] != c.location {
			t.Errorf("%s, declared in the mapping: %v", c.name, docs)
		}
	}
}

// TestUndeclaredEncodings: what is neither UTF-8 nor declared is rejected with a message that says
// how to declare it.
func TestUndeclaredEncodings(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		format, declared string
		data             []byte
		want             string
	}{
		{"csv", "", []byte("serial;location\nS1;K\xf6ln\n"), `line 2, column 5: byte 0xf6 is not UTF-8; declare the encoding with the option "encoding"`},
		{"csv", "", []byte("serial\nS1;\x93\x8c\n"), `declare the encoding`},
		{"csv", "", wide("serial\nS1\n", false), `byte 1 is zero`},
		{"csv", "Klingon", []byte("serial\nS1\n"), `the encoding Klingon is not known; declare the encoding`},
		{"glpi-json", "", []byte(`{"deviceid":"caf` + "\xe9" + `"}`), `byte 0xe9 is not UTF-8; declare the encoding`},
		{"ocs-xml", "", []byte("<REQUEST>\xe9</REQUEST>"), `byte 0xe9 is not UTF-8; declare the encoding`},
	} {
		docs, err := importer.Read(c.format, strings.NewReader(string(c.data)), importer.Options{Encoding: c.declared})
		if err == nil || !strings.Contains(err.Error(), c.want) || docs != nil {
			t.Errorf("%q: %v, want %s", c.data, err, c.want)
		}
	}
}

// TestWrongBytes: a byte that the declared encoding does not have costs one character and no more.
func TestWrongBytes(t *testing.T) {
	t.Parallel()
	const invalid = "characters are not valid in the declared encoding; each was replaced by U+FFFD"
	for _, c := range []struct{ name, declared, text, location, warning string }{
		{"UTF-8", "utf-8", "serial;location\nS1;Caf\xe9 \uFFFD\n", "Caf\uFFFD \uFFFD", "line 2: 1 " + invalid},
		{"a mark of UTF-8", "", "\uFEFFserial;location\nS1;\xe9\xe9\n", "\uFFFD\uFFFD", "line 2: 2 " + invalid},
		{"half a character", "", "\xff\xfe" + string(wide("serial;location\nS1;a", false)) + "b", "a\uFFFD", "line 2: 1 " + invalid},
		{"Shift_JIS", "shift_jis", "serial;location\nS1;\x93\x8c\xff\n", "\u6771\uFFFD", "line 2: 1 " + invalid},
	} {
		docs := read(t, "csv", []byte(c.text), importer.Options{Encoding: c.declared})
		if got := docs[0].Observed.Attributes["location"]; got != c.location {
			t.Errorf("%s: %q, want %q", c.name, got, c.location)
		}
		if diff := cmp.Diff([]string{c.warning}, warningsOf(docs)); diff != "" {
			t.Errorf("%s: warnings (-want +got):\n%s", c.name, diff)
		}
	}
}

// TestXMLEncodings: old Windows agents use single-byte encodings, and XML declares its own.
func TestXMLEncodings(t *testing.T) {
	t.Parallel()
	const declared = `<?xml version="1.0" encoding=%q?>`
	document := wrap("<SOFTWARES><NAME>€ café</NAME></SOFTWARES>")
	single := wrap("<SOFTWARES><NAME>\x80 caf\xe9</NAME></SOFTWARES>")
	for name, data := range map[string][]byte{
		"ISO-8859-1":     []byte(fmt.Sprintf(declared, "ISO-8859-1") + single),
		"windows-1252":   []byte(fmt.Sprintf(declared, "windows-1252") + single),
		"UTF-8":          []byte(fmt.Sprintf(declared, "utf-8") + document),
		"no declaration": []byte(document),
		"a mark":         []byte("\uFEFF" + document),
		"a declaration of UTF-16": slices.Concat(
			wide(fmt.Sprintf("\uFEFF"+declared, "UTF-16"), false), wide(document, false),
		),
		"UTF-16LE without a mark":                wide(fmt.Sprintf(declared, "UTF-16")+document, false),
		"UTF-16BE without a mark":                wide(fmt.Sprintf(declared, "UTF-16")+document, true),
		"a wrong declaration, which is in ASCII": []byte(fmt.Sprintf(declared, "UTF-16") + document),
	} {
		docs := read(t, "ocs-xml", data, importer.Options{})
		has(t, docs[0], "software", `"name":"€ café"`)
		if got := warningsOf(docs); len(got) > 0 {
			t.Errorf("%s: warnings %v", name, got)
		}
	}
}
