package importer_test

import (
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/musterhq/muster/internal/importer"
)

// TestBroken checks that an error has the position and the cause.
func TestBroken(t *testing.T) {
	t.Parallel()
	deep := strings.Repeat("[", 40) + strings.Repeat("]", 40)
	laughs := `<!DOCTYPE REQUEST [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;">]><REQUEST>&b;</REQUEST>`
	external := `<!DOCTYPE REQUEST [<!ENTITY a SYSTEM "file:///etc/passwd">]><REQUEST>&a;</REQUEST>`
	for _, c := range []struct{ name, format, text, want string }{
		{"an unknown format", "xls", "", "unknown format"},
		{"empty JSON", "glpi-json", " \n", "line 1: the file is empty; want a JSON object"},
		{"no object", "glpi-json", ` "x"`, "line 1, column 2: want a JSON object"},
		{"an array of numbers", "glpi-json", `[1]`, "line 1, column 2: want a JSON object"},
		{"cut off", "glpi-json", "{\"content\":\n{\"bios\":", "line 2, column 9: the file ends within an object or an array"},
		{"no JSON", "glpi-json", "{\n  'a': 1}", "line 2, column 3: invalid character '\\''"},
		{"a name twice", "glpi-json", `{"deviceid":"a","deviceid":"b","content":{}}`, `the object has the member "deviceid" twice`},
		{"a name twice in another case", "glpi-json", `{"deviceid":"a","DeviceID":"b","content":{}}`, ` twice`},
		{"no content", "glpi-json", `{"deviceid":"a"}`, `object 1: line 1: the object has no member "content"`},
		{"no device id", "glpi-json", `{"content":{}}`, "no device id"},
		{"another action", "glpi-json", `{"deviceid":"a","action":"contact","content":{}}`, `the action is "contact", want "inventory"`},
		{"too deep", "glpi-json", `{"deviceid":"a","content":` + deep + `}`, "nested more than 32 levels deep"},
		{"no UTF-8", "glpi-json", "{\n\"deviceid\":\"\xe9\"}", "line 2, column 13: byte 0xe9 is not UTF-8"},
		{"the second of two", "glpi-json", `{"deviceid":"a","content":{}} {"deviceid":"b"}`, `object 2: line 1: the object has no member "content"`},
		{"empty XML", "ocs-xml", "", "the file is empty; want the element REQUEST"},
		{"another root", "ocs-xml", "<html></html>", "line 1: the root element is HTML, want REQUEST"},
		{"two roots", "ocs-xml", wrap("") + "<REQUEST/>", "a second root element REQUEST"},
		{"text outside", "ocs-xml", "hello", "text outside an element"},
		{"cut off XML", "ocs-xml", "<REQUEST>\n<CONTENT>", "line 2, column 10: the file ends within the element CONTENT"},
		{"crossed elements", "ocs-xml", "<REQUEST><A></REQUEST>", "the end tag REQUEST does not match the innermost open element"},
		{"an end tag in another case", "ocs-xml", "<REQUEST></request>", "the end tag request does not match the innermost open element"},
		{"too deep XML", "ocs-xml", strings.Repeat("<A>", 40), "nested more than 32 levels deep"},
		{"billion laughs", "ocs-xml", laughs, "a document type is not allowed"},
		{"an external entity", "ocs-xml", external, "a document type is not allowed"},
		{"an entity", "ocs-xml", "<REQUEST>&a;</REQUEST>", "invalid character entity"},
		{"no content in XML", "ocs-xml", "<REQUEST><QUERY>INVENTORY</QUERY></REQUEST>", "no element CONTENT"},
		{"no device id in XML", "ocs-xml", "<REQUEST><QUERY>INVENTORY</QUERY><CONTENT/></REQUEST>", "no device id"},
		{"two device ids", "ocs-xml", "<REQUEST><DEVICEID>a</DEVICEID>\n<DEVICEID>b</DEVICEID><QUERY>INVENTORY</QUERY><CONTENT/></REQUEST>", "line 2: the message has a second device id"},
		{"another query", "ocs-xml", "<REQUEST><QUERY>PROLOG</QUERY><CONTENT/></REQUEST>", `the element QUERY is "PROLOG", want INVENTORY`},
		{"another encoding", "ocs-xml", `<?xml version="1.0" encoding="Klingon"?><REQUEST/>`, "the encoding Klingon is not known"},
		{"a wrong encoding", "ocs-xml", "<REQUEST>\n\xe9</REQUEST>", "line 2, column 1: byte 0xe9 is not UTF-8; declare the encoding"},
		{"an empty table", "csv", "\n\n", "line 1: the file is empty"},
		{"a header without end", "csv", "serial,\"notes\nS1,x\n", "line 1: a quotation mark has no counterpart"},
		{"too many columns", "csv", "serial" + strings.Repeat(",x", 1000) + "\n", "line 1: the table has 1001 columns, at most 1000 are allowed"},
		{"no known column", "csv", "a,b\n1,2\n", "no column has a well-known name"},
		{"no key", "csv", "location\nHQ\n", "no column identifies a row"},
		{"binary", "csv", "PK\x03\x04\x00\x00", "byte 4 is zero"},
		{"UTF-16 without a mark", "csv", "s\x00\n\x00", "byte 1 is zero: the file is not text, or has another encoding, such as utf-16le"},
		{"a wrong byte", "csv", "serial\n\xe9\n", "line 2, column 1: byte 0xe9 is not UTF-8; declare the encoding with the option"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			docs, err := importer.Read(c.format, strings.NewReader(c.text), importer.Options{})
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%v, want %s", err, c.want)
			}
			if docs != nil {
				t.Errorf("%d documents with an error", len(docs))
			}
		})
	}
}

func TestColumnsOfTheMappingMustBeThere(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		`{"columns":{"x":"serial_number"}}`: `the mapping names the column "x", which does not exist`,
		`{"key":["x"]}`:                     `the mapping names the column "x", which does not exist`,
		`{"class":{"column":"x"}}`:          `the mapping names the column "x", which does not exist`,
		`{"columns":{"Serial":"serial_number","Notes":"description"}}`: `the mapping names the column "Notes", which occurs twice`,
	} {
		_, err := importer.Read("csv", strings.NewReader("Serial,Notes,Notes\nS1,a,b\n"), importer.Options{Mapping: mapping(t, text)})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", text, err, want)
		}
	}
}

// TestTruncated truncates real files: reading the rest either succeeds or returns an error with a
// position.
func TestTruncated(t *testing.T) {
	t.Parallel()
	place := regexp.MustCompile(`line \d+`)
	for format, file := range map[string][]string{
		"glpi-json":           {"inventories", "glpi-json", "computer_1.json"},
		"fusioninventory-xml": {"inventories", "fusioninventory-xml", "3.xml"},
	} {
		t.Run(format, func(t *testing.T) {
			t.Parallel()
			data := strings.TrimSpace(string(load(t, corpus(t, file...)[0])))
			for length := 0; length < len(data); length += 1 + length/97 {
				_, err := importer.Read(format, strings.NewReader(data[:length]), importer.Options{})
				if err == nil || !place.MatchString(err.Error()) {
					t.Fatalf("the first %d bytes: %v", length, err)
				}
			}
		})
	}
}

// endless repeats a text forever.
type endless struct {
	text string
	at   int
}

func (e *endless) Read(b []byte) (int, error) {
	for i := range b {
		b[i] = e.text[e.at%len(e.text)]
		e.at++
	}
	return len(b), nil
}

// TestBounds checks the limits on the size of a file and on its size in memory.
func TestBounds(t *testing.T) {
	t.Parallel()
	many := func(begin, text string, count int, end string) io.Reader {
		return strings.NewReader(begin + strings.Repeat(text, count) + end)
	}
	for _, c := range []struct {
		format string
		file   io.Reader
		want   string
	}{
		{"csv", &endless{text: "a,b\n"}, "more than 64 MiB"},
		{"glpi-json", many(`{"content":[`, "{},", 1<<20, "{}]}"), "more than 1048576 values"},
		{"ocs-xml", many("<REQUEST><CONTENT>", "<A/>", 1<<20, ""), "more than 1048576 values"},
		{"csv", many("serial,cost\n", "1,1\n", 200_001, ""), "row 200002: the table has more than 200000 rows"},
		{"csv", iotest.ErrReader(errors.New("the line is dead")), "the line is dead"},
	} {
		if _, err := importer.Read(c.format, c.file, importer.Options{}); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %s", c.format, err, c.want)
		}
	}
}

// TestSeveralInOneFile: a JSON file may have an array or concatenated objects; each has its own
// position.
func TestSeveralInOneFile(t *testing.T) {
	t.Parallel()
	const a, b = `{"deviceid":"a","content":{"hardware":{"name":"A"}}}`, `{"deviceid":"b","content":{"hardware":{"name":"B"}}}`
	for _, text := range []string{a + b, a + "\n" + b + "\n", "[" + a + "," + b + "]", "\uFEFF" + a + b} {
		var got []string
		for _, d := range read(t, "glpi-json", []byte(text), importer.Options{}) {
			got = append(got, fmt.Sprint(d.Position, " ", d.NativeKey, " ", d.Observed.Identifiers.Hostname))
		}
		if fmt.Sprint(got) != "[object 1 a A object 2 b B]" {
			t.Errorf("%s: %v", text, got)
		}
	}
}
