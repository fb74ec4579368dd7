package identify_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/musterhq/muster/internal/identify"
	"github.com/musterhq/muster/internal/inventory"
)

func TestParseErrors(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, document, want string }{
		{"no JSON", `{`, "unexpected EOF"},
		{"more than a document", `{"version": "2"} {}`, "after the document"},
		{"no version", `{}`, "version is missing"},
		{"a field that is not known", `{"version": "2", "colour": 1}`, `unknown field "colour"`},
		{"a field of a kind that is not known", `{"version": "2", "kinds": {"serial": {"agreed": 1}}}`, `kind serial: json: unknown field "agreed"`},
		{"a kind that is not known", `{"version": "2", "kinds": {"colour": {"family": "smbios"}}}`, "kind colour is not known"},
		{"a family that is not known", `{"version": "2", "kinds": {"uuid": {"family": "colour"}}}`, `kind uuid: family "colour" is not known`},
		{"a negative weight", `{"version": "2", "kinds": {"uuid": {"agree": -1}}}`, "kind uuid: weight -1 is not within 0 and 1000"},
		{"a weight that is no number", `{"version": "2", "kinds": {"uuid": {"agree": "much"}}}`, "kind uuid: json: cannot unmarshal string"},
		{"a substitute of another family", `{"version": "2", "kinds": {"uuid": {"instead_of": "mac"}}}`, `kind uuid: instead_of "mac" is not a kind of its family`},
		{"a bonus that is too high", `{"version": "2", "families": {"smbios": {"bonus": 1001}}}`, "family smbios: bonus 1001"},
		{"a part of what is not known", `{"version": "2", "families": {"tpm": {"on": "colour"}}}`, `family tpm: on "colour"`},
		{"thresholds that cross", `{"version": "2", "thresholds": {"link": 5}}`, "threshold link: 5 is not above review, 10"},
		{"a veto on agreement", `{"version": "2", "thresholds": {"veto": 1}}`, "threshold veto: 1 is not negative"},
		{"a rule that is not known", `{"version": "2", "rules": {"R8": false}}`, "rule R8"},
		{"a source's class that is not known", `{"version": "2", "sources": {"x": "y"}}`, `source x: class "y"`},
		{"a bad expression", `{"version": "2", "rejects": [{"id": "x", "kinds": ["serial"], "patterns": ["("]}]}`, `reject "x": error parsing regexp`},
		{"a reject of nothing", `{"version": "2", "rejects": [{"id": "x"}]}`, `reject "x": id and kinds are needed`},
		{"a reject of what is not known", `{"version": "2", "rejects": [{"id": "x", "kinds": ["colour"]}]}`, `reject "x": kind "colour" is not known`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			rules, err := identify.Parse([]byte(test.document))
			if rules != nil || err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want an error with %q", err, test.want)
			}
		})
	}
}

// TestParseOverrides names single fields: the others are as in the default rules, which do not
// change.
func TestParseOverrides(t *testing.T) {
	t.Parallel()
	rules := parse(t, `{
		"version": "ours-1",
		"kinds": {"serial": {"agree": 24}},
		"rejects": [{"id": "serial/edid", "values": ["Sample 1"]}, {"id": "ours", "kinds": ["serial"], "patterns": ["pool-[0-9]+"]}]
	}`)
	if rules.Version() != "ours-1" || identify.Default().Version() != "3" {
		t.Errorf("versions %q and %q", rules.Version(), identify.Default().Version())
	}
	for value, want := range map[string]string{"SAMPLE  1": "serial/edid", "16843009": "", "Pool-17": "ours", "xpool-17": "", "None": "text/none"} {
		if got, ok := rules.Honest("serial_number", value); got != want || ok != (want == "") {
			t.Errorf("%q is rejected by %q, want %q", value, got, want)
		}
	}
	if _, ok := identify.Default().Honest("serial_number", "16843009"); ok {
		t.Error("the default rules were changed")
	}
	order := []report{
		{Record: "a1", At: 1, IDs: inventory.RawIdentifiers{Manufacturer: "Dell", SerialNumber: "7KNZB12"}},
		{Record: "a2", At: 2, IDs: inventory.RawIdentifiers{Manufacturer: "Dell", SerialNumber: "7KNZB12"}},
	}
	for _, test := range []struct {
		rules *identify.Rules
		want  int
	}{{identify.Default(), 1}, {rules, 2}} {
		l := newLattice(test.rules)
		for _, r := range order {
			l.add(r)
		}
		p := test.rules.Partition(l.candidateSet(nil))
		if got := l.groups(p); len(got) != test.want {
			t.Errorf("%s: got %v, want %d CIs", test.rules.Version(), got, test.want)
		}
		if got := p.Assignments[0].Reason.RulesVersion; got != test.rules.Version() {
			t.Errorf("decided by %q, want %q", got, test.rules.Version())
		}
	}
}

func TestHonest(t *testing.T) {
	t.Parallel()
	tests := []struct{ kind, value, pattern string }{
		{"manufacturer", "Dell Inc.", ""},
		{"manufacturer", "To be filled by O.E.M.", "text/to-be-filled"},
		{"manufacturer", "System manufacturer", "text/field-name"},
		{"model", "Latitude 5520", ""},
		{"model", "System Product Name", "text/field-name"},
		{"model", "All Series", "text/field-name"},
		{"serial_number", "7KNZB12", ""},
		{"serial_number", "", "empty"},
		{"serial_number", " \x00 ", "empty"},
		{"uuid", "4C4C4544-004B-4E10-805A-B7C04F424831", ""},
		{"uuid", "00020003-0004-0005-0006-000700080009", "uuid/ami"},
		{"uuid", "EEEEEEEE-EEEE-EEEE-EEEE-EEEEEEEEEEEE", "uuid/repeated"},
		{"uuid", "1", "malformed"},
		{"asset_tag", "IT-004711", ""},
		{"asset_tag", "No Asset Tag", "text/asset-tag"},
		{"asset_tag", "Asset-1234567890", "serial/counted-with-prefix"},
		{"mac", "A4-BB-6D-10-20-31", ""},
		{"mac", "02:42:ac:11:00:02", "mac/docker"},
		{"mac", "52:54:00:12:34:56", "mac/locally-administered"},
		{"mac", "01:00:5e:00:00:01", "mac/multicast"},
		{"os", "1f0c1e7a9d3b4c5e8f6a7b8c9d0e1f21", ""},
		{"os", "00000000-0000-0000-0000-000000000000", "os/repeated"},
		{"hostname", "localhost", ""},
	}
	for _, test := range tests {
		pattern, ok := identify.Default().Honest(test.kind, test.value)
		if pattern != test.pattern || ok != (test.pattern == "") {
			t.Errorf("%s %q is rejected by %q (%v), want %q", test.kind, test.value, pattern, ok, test.pattern)
		}
	}
}

func TestExplain(t *testing.T) {
	t.Parallel()
	explained := map[string]string{}
	for _, h := range hazards(t) {
		l := newLattice(identify.Default())
		for _, r := range h.Reports {
			l.add(r)
		}
		for _, assignment := range identify.Default().Partition(l.candidateSet(h.Constraints)).Assignments {
			explained[h.name+" "+l.names[assignment.Record]] = identify.Explain(assignment.Reason)
		}
	}
	want := map[string]string{
		"01-placeholders a1":         "A CI of its own: no known record shares enough evidence with it (R8).",
		"02-unknown-placeholder a2":  "Separate from record 1: both were active at one time, or they differ too much (R5); evidence against: mac 6 (2 × mac), disk 4 (2 × disk); not counted: 2 identifiers that other CIs share.",
		"04-cloned-installation a2":  "Separate from record 1: both were active at one time, or they differ too much (R5); evidence against: smbios 20 (2 × uuid), mac 6 (2 × mac); not counted: 1 identifier that other CIs share.",
		"06-reimaged a2":             "Same CI as record 1: enough evidence for it and no significant evidence against it (R3); evidence for: smbios 35 (serial, uuid), board 25 (board), mac 20 (mac), disk 15 (disk).",
		"14-dual-boot a2":            "Same CI as record 1: more evidence for it than against it, from several families (R4); evidence for: smbios 35 (serial, uuid), board 25 (board), mac 20 (mac); evidence against: disk 4 (2 × disk).",
		"20-sold-and-bought-back a2": "Same CI as record 1: more evidence for it than against it, from several families (R4); evidence for: smbios 35 (serial, uuid), board 25 (board), mac 20 (mac), name 3 (name); evidence against: disk 4 (2 × disk).",
		"30-one-address a1":          "Separate from record 1 until a person decides: the evidence is not conclusive (R6); evidence for: mac 20 (mac).",
		"36-declared-linked m1":      "A declared constraint with record 1 decides, regardless of the evidence (R0).",
	}
	for name := range explained {
		if want[name] == "" {
			delete(explained, name)
		}
	}
	if diff := cmp.Diff(want, explained); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	rejected := inventory.Reason{Rule: "R1", Rejected: []inventory.Rejection{{Kind: "serial"}}}
	if got, want := identify.Explain(rejected), "The same device as before, although some of its hardware changed (R1); 1 identifier rejected."; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
