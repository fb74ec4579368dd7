package importer_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/musterhq/muster/internal/importer"
)

// TestNestingIsBoundedBeforeParsing: the error names the first bracket that is too deep, also where
// the rest of the file has a syntax error or ends early: nothing after it was read.
func TestNestingIsBoundedBeforeParsing(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ text, want string }{
		"arrays":           {strings.Repeat("[", 8_000_000), "line 1, column 33: the file is nested more than 32 levels deep"},
		"objects":          {strings.Repeat(`{"a":`, 2_000_000), "line 1, column 161: the file is nested more than 32 levels deep"},
		"then no JSON":     {strings.Repeat("[", 33) + "'", "nested more than 32 levels deep"},
		"after a string":   {`["]]]\"]", ` + strings.Repeat("[", 40), "line 1, column 43: the file is nested"},
		"brackets in text": {`{"deviceid":"a","content":{"x":"` + strings.Repeat("[", 100) + `"}}`, ""},
		"closed again":     {`{"deviceid":"a","content":{"x":[` + strings.Repeat("[],", 100) + `[]]}}`, ""},
	} {
		_, err := importer.Read("glpi-json", strings.NewReader(c.text), importer.Options{})
		if got := fmt.Sprint(err); c.want == "" && err != nil || !strings.Contains(got, c.want) {
			t.Errorf("%s: got %v, want %q", name, err, c.want)
		}
	}
}

// TestManyMembers: the work is linear in the number of members. With work that grows with its
// square, the test would take longer than the tests may.
func TestManyMembers(t *testing.T) {
	t.Parallel()
	const members = 400_000
	var file strings.Builder
	file.WriteString(`{"deviceid":"a","content":{"bios":{"ssn":"S1"`)
	for i := range members {
		fmt.Fprintf(&file, `,"k%d":1`, i)
	}
	text := file.String()
	docs, err := importer.Read("glpi-json", strings.NewReader(text+`}}}`), importer.Options{})
	if err != nil || len(docs) != 1 {
		t.Fatalf("got %d documents, %v", len(docs), err)
	}
	for name, again := range map[string]string{"the first": "ssn", "an early one": "k3", "a late one": "k300000"} {
		_, err := importer.Read("glpi-json", strings.NewReader(text+`,"`+again+`":2}}}`), importer.Options{})
		if want := fmt.Sprintf("the object has the member %q twice", again); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %s", name, err, want)
		}
	}
}

// TestManySections: each of very many sections is warned about in one line.
func TestManySections(t *testing.T) {
	t.Parallel()
	var file strings.Builder
	file.WriteString("<REQUEST><DEVICEID>a</DEVICEID><QUERY>INVENTORY</QUERY><CONTENT>")
	for i := range 200_000 {
		fmt.Fprintf(&file, "<S%d/>", i)
	}
	file.WriteString("</CONTENT></REQUEST>")
	docs, err := importer.Read("ocs-xml", strings.NewReader(file.String()), importer.Options{})
	if err != nil || len(docs) != 1 || len(docs[0].Warnings) != 1 {
		t.Fatalf("got %d documents, %v; want one with one warning", len(docs), err)
	}
}
