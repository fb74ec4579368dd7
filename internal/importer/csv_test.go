package importer_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/musterhq/muster/internal/importer"
	"github.com/musterhq/muster/internal/inventory"
)

// rowText formats a row: key, class and attributes, or its problem.
func rowText(d importer.Document) string {
	if d.Problem != "" {
		return d.Problem
	}
	attributes, err := json.Marshal(d.Observed.Attributes)
	if err != nil {
		return err.Error()
	}
	return fmt.Sprintf("%s %s %s %s", d.Position, d.NativeKey, d.Observed.Class, attributes)
}

// warningsOf returns the warnings of a file and those of its documents.
func warningsOf(docs []importer.Document) []string {
	var all []string
	for _, d := range docs {
		all = append(append(all, d.FileWarnings...), d.Warnings...)
	}
	return all
}

func mapping(t testing.TB, text string) importer.Mapping {
	t.Helper()
	if text == "" {
		return importer.Mapping{}
	}
	m, err := importer.ParseMapping([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestCSV(t *testing.T) {
	t.Parallel()
	const mapped = `{"key":["Serial no."],"class":{"column":"Type","values":{"Notebook":"laptop"}},
		"columns":{"Serial no.":"serial_number","Bought":{"attribute":"purchase_date","format":"02.01.2006"},"Price":{"attribute":"cost","decimal":","}}}`
	for _, c := range []struct {
		name, mapping, text string
		want                []string
		warnings            []string
	}{
		{
			name: "known names", text: "Serial;Hersteller;Inventar-Nr.;Farbe\r\nS1;Dell;A-1;red\r\n;HP;A-2;\r\n",
			want: []string{
				`row 2 A-1  {"asset_tag":"A-1","manufacturer":"Dell","serial_number":"S1"}`,
				`row 3 A-2  {"asset_tag":"A-2","manufacturer":"HP"}`,
			},
			warnings: []string{`column "Farbe" is ignored: its name is not known`},
		},
		{
			name: "lines of an old Macintosh", text: "Serial;Hersteller\rS1;Dell\rS2;HP\r",
			want: []string{`row 2 S1  {"manufacturer":"Dell","serial_number":"S1"}`, `row 3 S2  {"manufacturer":"HP","serial_number":"S2"}`},
		},
		{
			name: "the delimiter is declared", text: "sep=;\r\nSerial;Hersteller\r\nS1;Dell, Inc.\r\n",
			want: []string{`row 3 S1  {"manufacturer":"Dell, Inc.","serial_number":"S1"}`},
		},
		{
			name: "a mapping", mapping: mapped, text: "Type,Serial no.,Bought,Price\nnotebook,S1,31.12.2023,\"1.299,00\"\n",
			want: []string{`row 2 S1 laptop {"cost":1299.00,"purchase_date":"2023-12-31","serial_number":"S1"}`},
		},
		{
			name: "bad rows do not affect the good ones", mapping: mapped,
			text: "Type,Serial no.,Bought,Price\nNotebook,S1,12/31/2023,1\nTablet,S2,,\n\nNotebook,S3,,x\nNotebook,S4,,\nNotebook,S4,,\nNotebook,,,\nNotebook,S5\nNotebook,S6,,,x\n",
			want: []string{
				`row 2 S1 laptop {"cost":1,"serial_number":"S1"}`,
				`row 3: column "Type": the mapping has no class for "Tablet"`,
				`row 5 S3 laptop {"serial_number":"S3"}`,
				`row 6 S4 laptop {"serial_number":"S4"}`,
				`row 7: column "Serial no.": row 6 has the key "S4" too`,
				`row 8: column "Serial no.": the key of the row is empty`,
				`row 9 S5 laptop {"serial_number":"S5"}`,
				`row 10: the row has 5 fields, the header has 4`,
			},
			warnings: []string{
				`row 2: column "Bought": "12/31/2023" is not a date of the form 02.01.2006; the value was left out`,
				`row 5: column "Price": "x" is not a number; the value was left out`,
			},
		},
		{
			name: "line breaks in quotes, empty rows and empty fields behind", text: "\n\nserial\tnotes\n\n\"S1\"\t\"a \"\"b\"\"\n c\"\t\t\n\t\nS2\tx\n",
			want: []string{
				`row 5 S1  {"description":"a \"b\"\n c","serial_number":"S1"}`,
				`row 7 S2  {"description":"x","serial_number":"S2"}`,
			},
		},
		{
			name: "dates that the column disambiguates", text: "serial,purchase date,warranty end\nA,03/04/2020,2023-04-03\nB,31/12/2020,3.4.2023\nC,n/a,-\n",
			want: []string{
				`row 2 A  {"purchase_date":"2020-04-03","serial_number":"A","warranty_end":"2023-04-03"}`,
				`row 3 B  {"purchase_date":"2020-12-31","serial_number":"B","warranty_end":"2023-04-03"}`,
				`row 4 C  {"serial_number":"C"}`,
			},
		},
		{
			name: "ambiguous dates", text: "serial,purchase date\nA,03/04/2020\nB,04/04/2020\n",
			want: []string{
				`row 2 A  {"serial_number":"A"}`,
				`row 3 B  {"purchase_date":"2020-04-04","serial_number":"B"}`,
			},
			warnings: []string{
				`row 2: column "purchase date": "03/04/2020" is ambiguous: no other date of the column shows which number is the day; ` +
					`write it as 2006-01-02, or set "format" for this column in the mapping; the value was left out`,
			},
		},
		{
			name: "numbers", text: "serial;price\nA;1.234\nB;1234,5\nC;1.234.567\nD;€ 12.50\nE;1'000.00 CHF\nF;-0,05\nG;1.23.456\nH;1,234.5\nI;007\nJ;0.500\n",
			want: []string{
				`row 2 A  {"serial_number":"A"}`,
				`row 3 B  {"cost":1234.5,"serial_number":"B"}`,
				`row 4 C  {"cost":1234567,"serial_number":"C"}`,
				`row 5 D  {"cost":12.50,"serial_number":"D"}`,
				`row 6 E  {"cost":1000.00,"serial_number":"E"}`,
				`row 7 F  {"cost":-0.05,"serial_number":"F"}`,
				`row 8 G  {"serial_number":"G"}`,
				`row 9 H  {"cost":1234.5,"serial_number":"H"}`,
				`row 10 I  {"cost":7,"serial_number":"I"}`,
				`row 11 J  {"cost":0.500,"serial_number":"J"}`,
			},
			warnings: []string{
				`column "price": the currency CHF, € is ignored; put it into a column of its own`,
				`row 2: column "price": "1.234" is ambiguous: no other number of the column shows the decimal sign; ` +
					`set "decimal" for this column in the mapping; the value was left out`,
				`row 8: column "price": "1.23.456" is not a number; the value was left out`,
			},
		},
		{
			name: "values, yes and no", mapping: `{"key":["tag"],"class":"monitor","columns":{"tag":"asset_tag","ok":"approved_to_connect","state":{"attribute":"lifecycle_state","values":{"im Einsatz":"in_use"}}}}`,
			text: "tag,ok,state\n1,ja,Im Einsatz\n2,no,\n3,perhaps,\n4,,Lager\n",
			want: []string{
				`row 2 1 monitor {"approved_to_connect":true,"asset_tag":"1","lifecycle_state":"in_use"}`,
				`row 3 2 monitor {"approved_to_connect":false,"asset_tag":"2"}`,
				`row 4 3 monitor {"asset_tag":"3"}`,
				`row 5 4 monitor {"asset_tag":"4"}`,
			},
			warnings: []string{
				`row 4: column "ok": "perhaps" is neither yes nor no; the value was left out`,
				`row 5: column "state": the mapping has no value for "Lager"; the value was left out`,
			},
		},
		{
			name: "a key of two columns", mapping: `{"key":["a","b"],"columns":{"a":"model","b":"serial_number"}}`, text: "a,b\nx|y,z\nx,y|z\n",
			want: []string{
				`row 2 x\|y|z  {"model":"x|y","serial_number":"z"}`,
				`row 3 x|y\|z  {"model":"x","serial_number":"y|z"}`,
			},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			docs := read(t, "csv", []byte(c.text), importer.Options{Mapping: mapping(t, c.mapping)})
			var got []string
			for _, d := range docs {
				got = append(got, rowText(d))
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("rows (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(c.warnings, warningsOf(docs)); diff != "" {
				t.Errorf("warnings (-want +got):\n%s", diff)
			}
		})
	}
}

func TestCSVClassesAndAddresses(t *testing.T) {
	t.Parallel()
	docs := read(t, "csv", []byte("Type,Host name,MAC,Vendor,S/N\nNotebook,pc1,AA-BB-CC-00-11-22 aabb.cc00.1133,Dell,S1\n"+
		"Toaster,pc2,,,S2\nServer,pc3,nonsense,,S3\n"), importer.Options{Name: "hr"})
	want := []importer.Document{
		{Source: "csv:hr", Position: "row 2", NativeKey: "S1", Observed: inventory.Observed{
			Class: "laptop", Attributes: inventory.Attributes{
				"hostname": "pc1", "mac_address": "aa:bb:cc:00:11:22 aa:bb:cc:00:11:33",
				"manufacturer": "Dell", "serial_number": "S1",
			},
		}},
		{
			Source: "csv:hr", Position: "row 3", NativeKey: "S2",
			Observed: inventory.Observed{Attributes: inventory.Attributes{"hostname": "pc2", "serial_number": "S2"}},
			Warnings: []string{`row 3: column "Type": there is no class "Toaster"; it is ignored`},
		},
		{
			Source: "csv:hr", Position: "row 4", NativeKey: "S3",
			Observed: inventory.Observed{
				Class: "server", Attributes: inventory.Attributes{"hostname": "pc3", "serial_number": "S3"},
			},
			Warnings: []string{`row 4: column "MAC": "nonsense" is not a MAC address; the value was left out`},
		},
	}
	if diff := cmp.Diff(want, docs); diff != "" {
		t.Errorf("documents (-want +got):\n%s", diff)
	}
}

// TestCSVDeclaredAttributes: a declared attribute is recognized by its label and has its declared
// type.
func TestCSVDeclaredAttributes(t *testing.T) {
	t.Parallel()
	docs := read(t, "csv", []byte("Serial,Lease End,Seats,Cost centre\nS1,31.12.2025,\"1,200\",4711\nS2,soon,1,\n"), importer.Options{Attributes: []inventory.Attribute{
		{Name: "lease_end", Label: "Lease end", Type: "date"}, {Name: "seats", Label: "Seats", Type: "integer"}}})
	for i, want := range []string{
		`row 2: column "Seats": "1,200" is ambiguous: no other number of the column shows the decimal sign; ` +
			`set "decimal" for this column in the mapping; the value was left out`,
		`row 3: column "Lease End": "soon" is not a date; write it as 2006-01-02, or set "format" for this column in ` +
			`the mapping; the value was left out`,
	} {
		if got := docs[i].Warnings; len(got) != 1 || got[0] != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
}

func TestMappingErrors(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		`{"columns":{"a":{"attribute":"cost","decimal":"x"}}}`:                    `column "a": decimal is "x"`,
		`{"columns":{"a":{"attribute":"bought","format":"02.01."}}}`:              `format "02.01." lacks the year, month or day`,
		`{"columns":{"a":{"attribute":"b","format":"2006-01-02","decimal":","}}}`: "format is for dates",
		`{"relationships":{"a":{"type":"used_by"}}}`:                              `column "a": a relationship needs a type, and the class`,
		`{"columns":{"a":{}}}`:                        `column "a": attribute is missing`,
		`{"columns":{"a":"x","b":"x"}}`:               `the columns "a" and "b" both have the attribute x`,
		`{"class":{"name":"laptop","column":"Type"}}`: "class has both",
		`{"class":{"values":{"a":"b"}}}`:              "class has values but no column",
		`{"colums":{}}`:                               `unknown field "colums"`,
		`{"columns":{"a":{"attribut":"x"}}}`:          `unknown field "attribut"`,
		`{"key":"a"}`:                                 "cannot unmarshal",
	} {
		if _, err := importer.ParseMapping([]byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", text, err, want)
		}
	}
}

// TestMappingComesBack: a mapping survives encoding as JSON and decoding.
func TestMappingComesBack(t *testing.T) {
	t.Parallel()
	want := mapping(t, `{"key":["a"],"class":{"column":"t","values":{"x":"laptop"}},"columns":{"a":"serial_number","b":{"attribute":"cost","decimal":","}},
		"relationships":{"c":{"type":"used_by","class":"person","by":"login"}}}`)
	text, err := json.Marshal(want)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, mapping(t, string(text))); diff != "" {
		t.Errorf("mapping (-want +got):\n%s", diff)
	}
}

// TestQuotedFieldsSurvive: a field that is quoted as in RFC 4180 is read unchanged, whatever it
// contains.
func TestQuotedFieldsSurvive(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		want := rapid.StringMatching(`[a-z;,"\n\t]{0,12}`).Draw(t, "notes")
		delimiter := rapid.SampledFrom([]string{",", ";", "\t"}).Draw(t, "delimiter")
		file := "serial" + delimiter + "notes\r\nS1" + delimiter + `"` + strings.ReplaceAll(want, `"`, `""`) + "\"\r\n"
		docs, err := importer.Read("csv", strings.NewReader(file), importer.Options{})
		if err != nil {
			t.Fatal(err)
		}
		want = strings.TrimSpace(want)
		got, _ := docs[0].Observed.Attributes["description"].(string)
		if got != want && want != "-" && want != "--" && want != "null" {
			t.Fatalf("%q, want %q", got, want)
		}
	})
}
