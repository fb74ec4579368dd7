package importer_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/musterhq/muster/internal/importer"
	"github.com/musterhq/muster/internal/inventory"
)

// choices has the attribute whose values are words of ours.
var choices = []inventory.Attribute{{
	Name: "lifecycle_state", Label: "Life-cycle state", Type: "choice",
	Choices: []string{"ordered", "received", "in_stock", "in_use", "in_repair", "retired", "disposed", "lost"},
}}

// sharedCase returns a file of the cases that lie beside the checkout: real lists that were read
// wrongly.
func sharedCase(t *testing.T, name ...string) []byte {
	t.Helper()
	return load(t, corpus(t, append([]string{"..", "cases"}, name...)...)[0])
}

// rows returns the rows of a list as text, and the warnings.
func rows(t *testing.T, data []byte) (list, warnings []string) {
	t.Helper()
	docs := read(t, "csv", data, importer.Options{Attributes: choices})
	for _, d := range docs {
		list = append(list, rowText(d))
	}
	return list, warningsOf(docs)
}

func wantRows(t *testing.T, data []byte, want, warnings []string) {
	t.Helper()
	got, warned := rows(t, data)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("rows (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(warnings, warned); diff != "" {
		t.Errorf("warnings (-want +got):\n%s", diff)
	}
}

// TestProtectedText: exporters put something before digits so that a spreadsheet keeps them.
func TestProtectedText(t *testing.T) {
	t.Parallel()
	wantRows(t, sharedCase(t, "csv-control-prefix", "input.csv"), []string{
		`row 2 R2-001  {"asset_tag":"R2-001","manufacturer":"HP","model":"R2MODEL","serial_number":"0030611"}`,
	}, nil)
	for field, want := range map[string]string{
		"\x1f0071":         "0071", // a control character
		`="0071"`:          "0071", // a formula
		`"=""0071"""`:      "0071", // a formula in quotes
		"\u200e0071\u00a0": "0071", // a mark of the direction, and a space
		"\uFEFF0071":       "0071", // a byte order mark of an appended file
		`="00""71"`:        `00"71`,
		`=0071`:            "=0071", // not protected
		`=""`:              "",
	} {
		list, _ := rows(t, []byte("asset tag;serial\nA;"+field+"\n"))
		text := fmt.Sprintf(`row 2 A  {"asset_tag":"A","serial_number":%q}`, want)
		if want == "" {
			text = `row 2 A  {"asset_tag":"A"}`
		}
		if list[0] != text {
			t.Errorf("%q: %s, want %s", field, list[0], text)
		}
	}
	wantRows(t, []byte("asset tag;notes\nA;a\x07b\n"), []string{`row 2 A  {"asset_tag":"A","description":"ab"}`},
		[]string{`row 2: column "notes": control characters were removed from "ab"`})
}

// TestDatesOfSpreadsheets: spreadsheets rewrite dates by their locale, and an optional value that
// cannot be read does not cost the row.
func TestDatesOfSpreadsheets(t *testing.T) {
	t.Parallel()
	for file, want := range map[string][]string{
		"input.csv": {"2017-04-17", "2017-03-08", "2017-12-31"},
		"more.csv": {
			"2017-04-17", "2017-12-31", "2017-04-17", "2017-04-17", "", "2017-04-17", "2017-04-17", "2017-04-17", "2017-04-17",
		},
	} {
		docs := read(t, "csv", sharedCase(t, "csv-dates-of-spreadsheets", file), importer.Options{})
		if diff := cmp.Diff(want, datesOf(docs)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", file, diff)
		}
	}
	for _, c := range []struct {
		dates, want []string
	}{
		{[]string{"Tue Apr 17, 2017", "17 April 2017", "17. APRIL 2017", "2017/4/17"}, []string{"2017-04-17", "2017-04-17", "2017-04-17", "2017-04-17"}},
		{[]string{"3/8/17", "12/31/17"}, []string{"2017-03-08", "2017-12-31"}},
		{[]string{"17/04/03", "18/05/04"}, []string{"", ""}}, // the year may be first
		{[]string{"17/04/99", "03/04/99"}, []string{"1999-04-17", "1999-04-03"}},
		{[]string{"03-04-2017", "17/04/2017"}, []string{"", "2017-04-17"}}, // other programs wrote them
		{[]string{"31.02.2017", "2017-13-01", "20171301", "00.00.0000", "17.04/2017"}, []string{"", "", "", "", ""}},
		{[]string{"2017-04-17 09:30:00.123 +0200", "17.04.2017 9:30 p.m.", "4/17/2017 9:30am"}, []string{"2017-04-17", "2017-04-17", "2017-04-17"}},
	} {
		text := "tag\tpurchase date\n"
		for i, date := range c.dates {
			text += fmt.Sprintf("A%d\t%s\n", i, date)
		}
		docs := read(t, "csv", []byte(strings.Replace(text, "tag", "asset tag", 1)), importer.Options{})
		if diff := cmp.Diff(c.want, datesOf(docs)); diff != "" {
			t.Errorf("%q (-want +got):\n%s", c.dates, diff)
		}
	}
}

// datesOf returns the dates of purchase. A row without one must have a warning.
func datesOf(docs []importer.Document) []string {
	var dates []string
	for _, d := range docs {
		date, _ := d.Observed.Attributes["purchase_date"].(string)
		if d.Problem != "" || (date == "") != (len(d.Warnings) == 1) {
			date = fmt.Sprintf("%s, warnings %q, problem %q", date, d.Warnings, d.Problem)
		}
		dates = append(dates, date)
	}
	return dates
}

// TestPrices: prices have currencies, groups of digits and dashes for cents.
func TestPrices(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		prices, want []string
	}{
		{[]string{"$1,099.00", "US$ 12", "1'299.-", "2.499,– €", "(12.50)", "\u22125", "-€ 5"}, []string{"1099.00", "12", "1299.00", "2499.00", "-12.50", "-5", "-5"}},
		{[]string{"1.234", "1.099,90", "12,5"}, []string{"1234", "1099.90", "12.5"}},
		{[]string{"1.234", "1,099.90"}, []string{"1.234", "1099.90"}},
		{[]string{"1.234", "1.099,90", "1,099.90"}, []string{"", "1099.90", "1099.90"}},
		{[]string{"1 099,00 kr", "1\u202f099 €", "twelve", "12 or 13", "1,2,3"}, []string{"1099.00", "1099", "", "", ""}},
	} {
		text := "asset tag\tprice\n"
		for i, price := range c.prices {
			text += fmt.Sprintf("A%d\t%s\n", i, price)
		}
		var got []string
		for _, d := range read(t, "csv", []byte(text), importer.Options{}) {
			price := ""
			if cost := d.Observed.Attributes["cost"]; cost != nil {
				price = fmt.Sprint(cost)
			}
			got = append(got, price)
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%q (-want +got):\n%s", c.prices, diff)
		}
	}
}

// TestUnknownCodePage: bytes that are not UTF-8 do not show their encoding.
func TestUnknownCodePage(t *testing.T) {
	t.Parallel()
	file := sharedCase(t, "csv-gbk", "input.csv")
	_, err := importer.Read("csv", strings.NewReader(string(file)), importer.Options{})
	if err == nil || !strings.Contains(err.Error(), `declare the encoding with the option "encoding"`) {
		t.Errorf("not declared: %v", err)
	}
	docs := read(t, "csv", file, importer.Options{Encoding: "GBK"})
	want := inventory.Attributes{
		"asset_tag": "C9B-001", "manufacturer": "\u8054\u60f3", "serial_number": "C9BSN0001", "location": "\u4e0a\u6d77\u529e\u516c\u5ba4",
	}
	if diff := cmp.Diff(want, docs[0].Observed.Attributes); diff != "" {
		t.Errorf("declared (-want +got):\n%s", diff)
	}
}

// TestQuotationMarks: a quotation mark inside a field is a character. A line that cannot be split
// for certain costs no other line.
func TestQuotationMarks(t *testing.T) {
	t.Parallel()
	wantRows(t, sharedCase(t, "csv-inch-quote", "input.csv"), []string{
		`row 2 C2-001 monitor {"asset_tag":"C2-001","manufacturer":"Dell","model":"P2422H 24\" IPS","serial_number":"C2MON0001"}`,
		`row 3 C2-002 laptop {"asset_tag":"C2-002","manufacturer":"Lenovo","model":"ThinkPad T14","serial_number":"C2PF0002"}`,
	}, nil)
	const (
		stray = `row 2: a quotation mark inside quotes is not doubled; it was read as a character`
		open  = `: a quotation mark has no counterpart; double a quotation mark inside quotes`
		next  = `row 3 S2  {"model":"m","serial_number":"S2"}`
	)
	for _, c := range []struct {
		name, text string
		want       []string
		warnings   []string
	}{
		{"inside quotes", "\"S1\",\"24\" IPS\"\nS2,m\n", []string{`row 2 S1  {"model":"24\" IPS","serial_number":"S1"}`, next}, []string{stray}},
		{"at the end of a field", "S1,24\"\nS2,m\n", []string{`row 2 S1  {"model":"24\"","serial_number":"S1"}`, next}, nil},
		{"space around quotes", " \"S1\" , \"m\" \r\nS2,m\n", []string{`row 2 S1  {"model":"m","serial_number":"S1"}`, next}, nil},
		{"before a delimiter inside quotes", "S1,\"27\", curved\"\nS2,m\n", []string{`row 2: the row has 3 fields, the header has 2`, next}, nil},
		{"without end", "S1,\"27 inches\nS2,m\n", []string{`row 2` + open, next}, nil},
		{"without end, before another", "S1,\"27 inches\nS2,\"m\"\n", []string{`row 2` + open, next}, nil},
		{"in a field with a line break", "S1,\"5\" disk\nand more\"\nS2,m\n", []string{
			`row 2` + open,
			`row 3: the row has 1 fields, the header has 2: it may be the rest of row 2`,
			`row 4 S2  {"model":"m","serial_number":"S2"}`,
		}, nil},
		{"in the last line", "S2,m\nS1,\"", []string{`row 2 S2  {"model":"m","serial_number":"S2"}`, `row 3` + open}, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			wantRows(t, []byte("serial,model\n"+c.text), c.want, c.warnings)
		})
	}
}

// TestRoundedNumbers: what a spreadsheet leaves of a long number identifies nothing.
func TestRoundedNumbers(t *testing.T) {
	t.Parallel()
	const rounded = `" is a number that a spreadsheet has rounded; format the column as text`
	wantRows(t, sharedCase(t, "csv-scientific-serial", "input.csv"), []string{
		`row 2 C3-001  {"asset_tag":"C3-001","manufacturer":"Zebra Technologies","model":"TC52"}`,
		`row 3 C3-002  {"asset_tag":"C3-002","manufacturer":"Zebra Technologies","model":"TC52"}`,
	}, []string{
		`row 2: column "Serial Number": "8.93901E+18` + rounded + `; the value was left out`,
		`row 3: column "Serial Number": "8.93901E+18` + rounded + `; the value was left out`,
	})
	wantRows(t, sharedCase(t, "csv-scientific-serial", "a-second-list.csv"), []string{
		`row 2: column "Serial Number": "8,93902E+18` + rounded + `; the row needs the value to be identified`,
		`row 3: column "Serial Number": "8.93902E+18` + rounded + `; the row needs the value to be identified`,
	}, nil)
	wantRows(t, []byte("serial;asset tag;price\nS1;1E+12;1\n1e+15;A2;2\nS3;1E5;3\n2.5E+3;A4;4\n"), []string{
		`row 2: column "asset tag": "1E+12` + rounded + `; the row needs the value to be identified`,
		`row 3 A2  {"asset_tag":"A2","cost":2}`,
		`row 4 1E5  {"asset_tag":"1E5","cost":3,"serial_number":"S3"}`,
		`row 5 A4  {"asset_tag":"A4","cost":4,"serial_number":"2.5E+3"}`,
	}, []string{`row 3: column "serial": "1e+15` + rounded + `; the value was left out`})
}

// TestWordsForStates: states of another tool are left out, and ours are read as people write them.
func TestWordsForStates(t *testing.T) {
	t.Parallel()
	const none = `" is none of ordered, received, in_stock, in_use, in_repair, retired, disposed, lost; ` +
		`set "values" for this column in the mapping; the value was left out`
	wantRows(t, sharedCase(t, "csv-status-words", "labels.csv"), []string{
		`row 2 K1-1  {"asset_tag":"K1-1","lifecycle_state":"in_use","manufacturer":"HP","model":"K1M","serial_number":"K1S1"}`,
		`row 3 K1-2  {"asset_tag":"K1-2","lifecycle_state":"in_stock","manufacturer":"HP","model":"K1M","serial_number":"K1S2"}`,
		`row 4 K1-3  {"asset_tag":"K1-3","lifecycle_state":"in_stock","manufacturer":"HP","model":"K1M","serial_number":"K1S3"}`,
		`row 5 K1-4  {"asset_tag":"K1-4","lifecycle_state":"retired","manufacturer":"HP","model":"K1M","serial_number":"K1S4"}`,
		`row 6 K1-5  {"asset_tag":"K1-5","manufacturer":"HP","model":"K1M","serial_number":"K1S5"}`,
		`row 7 K1-6  {"asset_tag":"K1-6","manufacturer":"HP","model":"K1M","serial_number":"K1S6"}`,
	}, []string{
		`row 6: column "Status": "Active` + none,
		`row 7: column "Status": "Im Einsatz` + none,
	})
	wantRows(t, sharedCase(t, "csv-status-words", "input.csv"), []string{
		`row 2 C4-001  {"asset_tag":"C4-001","cost":1099.00,"custodian":"jdoe","location":"Lobby","manufacturer":"Microsoft",` +
			`"model":"Surface Go","name":"C4 Kiosk","owner":"Example AG","purchase_date":"2017-04-17","purchase_order":"PO-77",` +
			`"serial_number":"C4SN0001","supplier":"Reseller"}`,
		`row 3 C4-002 laptop {"asset_tag":"C4-002","cost":999.5,"custodian":"jdoe","location":"Lobby","manufacturer":"Microsoft",` +
			`"model":"Surface Laptop","name":"C4 Kiosk 2","owner":"Example AG","purchase_date":"2017-05-06","purchase_order":"PO-77",` +
			`"serial_number":"C4SN0002","supplier":"Reseller"}`,
	}, []string{
		`column "Model Number" is ignored: column "Model Name" has the attribute model too`,
		`column "Warranty Months" is ignored: its name is not known`,
		`row 2: column "Status": "Ready to Deploy` + none,
		`row 2: column "Category": there is no class "Tablet"; it is ignored`,
		`row 3: column "Status": "Deployed` + none,
	})
	wantRows(t, []byte("asset tag;state\nA;in-repair\nB;LOST\nC;in\n"), []string{
		`row 2 A  {"asset_tag":"A","lifecycle_state":"in_repair"}`,
		`row 3 B  {"asset_tag":"B","lifecycle_state":"lost"}`,
		`row 4 C  {"asset_tag":"C"}`,
	}, []string{`row 4: column "state": "in` + none})
}

// TestShortRows: spreadsheets leave out the delimiters of empty last columns.
func TestShortRows(t *testing.T) {
	t.Parallel()
	list, warnings := rows(t, sharedCase(t, "csv-trailing-delimiters", "input.csv"))
	want := `row 21 C1-020  {"asset_tag":"C1-020","location":"Bonn","manufacturer":"Dell Inc.","model":"Latitude 5440","serial_number":"C1SER020"}`
	if len(list) != 20 || list[19] != want || len(warnings) != 0 {
		t.Errorf("%d rows, the last is %s, warnings %v", len(list), list[19], warnings)
	}
	wantRows(t, []byte("serial,price,bought,ok\nS1\nS2,1\nS3,1,2020-01-02\nS4,1,2020-01-02,yes,,\nS5,1,2020-01-02,yes,,x\n"), []string{
		`row 2 S1  {"serial_number":"S1"}`,
		`row 3 S2  {"cost":1,"serial_number":"S2"}`,
		`row 4 S3  {"cost":1,"purchase_date":"2020-01-02","serial_number":"S3"}`,
		`row 5 S4  {"cost":1,"purchase_date":"2020-01-02","serial_number":"S4"}`,
		`row 6: the row has 6 fields, the header has 4`,
	}, []string{`column "ok" is ignored: its name is not known`})
}

// TestForbiddenCharacters: a character that XML forbids does not hide a machine.
func TestForbiddenCharacters(t *testing.T) {
	t.Parallel()
	for file, c := range map[string]struct {
		name, publisher, warning string
	}{
		"input.xml":   {"X1FFFF", "Intel(R) Corporation\uca69\u12ae\uFFFD\uFFFD", "line 2: 2 characters that XML forbids were replaced by U+FFFD"},
		"control.xml": {"X3CTL", "Intel(R) Corporation\uFFFD\uFFFD", "line 2: 2 characters that XML forbids were replaced by U+FFFD"},
		"charref.xml": {"X4CHARREF", "Intel(R) Corporation\uFFFD\uFFFD", "line 2: 2 characters that XML forbids were replaced by U+FFFD"},
	} {
		d := one(t, "ocs-xml", sharedCase(t, "xml-noncharacter", file))
		has(t, d, "software", `"name":"Chipset Software"`, `"publisher":"`+c.publisher+`"`)
		has(t, d, "os", `"hostname":"`+c.name+`"`)
		if diff := cmp.Diff([]string{c.warning}, d.FileWarnings); diff != "" {
			t.Errorf("%s: warnings (-want +got):\n%s", file, diff)
		}
	}
	for text, want := range map[string]string{
		"a\x00b":             "a\uFFFDb",
		"a&#xD800;b&#xFFFE;": "a\uFFFDb\uFFFD",
		"a&#99999999;":       "a\uFFFD",
		"\uFFFE":             "\uFFFD",
		"a&#x41;&#66;":       "aAB",
		"<![CDATA[a\x1b]]>":  "a\uFFFD",
	} {
		d := one(t, "ocs-xml", []byte(wrap("<SOFTWARES><NAME>"+text+"</NAME></SOFTWARES>")))
		has(t, d, "software", `"name":"`+want+`"`)
		if (len(d.FileWarnings) == 1) != strings.Contains(want, "\uFFFD") {
			t.Errorf("%q: warnings %v", text, d.FileWarnings)
		}
	}
}
