package reconcile_test

import (
	"strings"
	"testing"

	"github.com/musterhq/muster/internal/inventory"
	"github.com/musterhq/muster/internal/reconcile"
)

func TestParsePrecedence(t *testing.T) {
	t.Parallel()
	const rest = `{"name":"rest","order":[["agent"],["*"]]}`
	for _, c := range []struct{ name, document, want string }{
		{"the smallest", `{"version":"x","groups":[` + rest + `]}`, ""},
		{"nothing", ``, "EOF"},
		{"no JSON", `version: 1`, "invalid character"},
		{"an unknown field", `{"version":"x","group":[]}`, `unknown field "group"`},
		{"two documents", `{"version":"x","groups":[` + rest + `]} {}`, "data after the document"},
		{"no version", `{"groups":[` + rest + `]}`, "version is missing"},
		{"negative days", `{"version":"x","stale_after_days":{"agent":-1},"groups":[` + rest + `]}`, "agent has -1 days"},
		{"no rest", `{"version":"x","groups":[{"name":"n","attributes":["a"],"order":[["agent"]]}]}`, "no other group"},
		{"two rests", `{"version":"x","groups":[` + rest + `,{"name":"n","order":[["agent"]]}]}`, `group "n": attributes are missing; group "rest"`},
		{"no order", `{"version":"x","groups":[{"name":"n","attributes":["a"]}]}`, `group "n": order is missing`},
		{"a category twice", `{"version":"x","groups":[{"name":"n","order":[["agent"],["list","agent"]]}]}`, "agent is listed twice"},
		{"a source, not a category", `{"version":"x","groups":[{"name":"n","order":[["csv:hr"]]}]}`, `"csv:hr" is not a category of sources`},
		{"an attribute twice", `{"version":"x","groups":[{"name":"n","attributes":["a"],"order":[["csv"]]},{"name":"m","attributes":["a"],"order":[["csv"]]}]}`,
			`group "m": attributes: a is in group "n" too`},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			got, err := reconcile.ParsePrecedence([]byte(c.document))
			switch {
			case c.want == "" && err != nil:
				t.Error(err)
			case c.want == "" && got.Version() != "x":
				t.Errorf("version %q", got.Version())
			case c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)):
				t.Errorf("error %v, want one with %q", err, c.want)
			}
		})
	}
}

// TestPrecedenceNeverObserved: a category that is not in the order of a group is ignored, and
// not suppressed either.
func TestPrecedenceNeverObserved(t *testing.T) {
	t.Parallel()
	rules, err := reconcile.ParsePrecedence([]byte(`{"version":"x","groups":[{"name":"rest","order":[["agent"]]},
		{"name":"money","attributes":["cost"],"order":[["list"],["manual"]]}]}`))
	if err != nil {
		t.Fatal(err)
	}
	got := reconcile.Effective(candidates(
		testValues{source: "agent", attributes: attrs{"cost": "1", "model": "A"}},
		testValues{source: "manual", attributes: attrs{"cost": "2", "model": "B"}},
	), nil, now, rules)
	if got.Attributes["cost"] != "2" || got.Attributes["model"] != "A" {
		t.Errorf("attributes %v", got.Attributes)
	}
	for attribute, p := range got.Provenance {
		if p.Rule != "only" || p.Suppressed != nil {
			t.Errorf("%s: rule %s, suppressed %v", attribute, p.Rule, p.Suppressed)
		}
	}
}

func TestDefaultPrecedence(t *testing.T) {
	t.Parallel()
	if version := reconcile.DefaultPrecedence().Version(); version == "" {
		t.Error("the default has no version")
	}
}

// TestPrecedenceOfAddedAttributes: for an attribute that people added, which no source observes,
// the value of a person wins. It wins for no attribute that machines report.
func TestPrecedenceOfAddedAttributes(t *testing.T) {
	t.Parallel()
	for attribute, want := range map[string]string{
		"rack": "manual", "locker_number": "manual", "cost": "manual", "model": "agent", "os_version": "agent", "wwn": "agent",
	} {
		got := reconcile.Effective(candidates(
			testValues{source: "agent", attributes: attrs{attribute: "a"}},
			testValues{source: "csv:racks", attributes: attrs{attribute: "b"}},
			testValues{source: "manual", days: 300, attributes: attrs{attribute: "c"}},
		), nil, now, rules)
		if source := got.Provenance[attribute].Source; source != want {
			t.Errorf("%s is the value of %s, want that of %s", attribute, source, want)
		}
	}
}

// TestPrecedenceByCategory: a source counts by its category, whatever its format and its name.
func TestPrecedenceByCategory(t *testing.T) {
	t.Parallel()
	for _, format := range inventory.ImportFormats() {
		for _, source := range []string{format.Source, format.Source + ":berlin"} {
			got := reconcile.Effective(candidates(
				testValues{source: "manual", attributes: attrs{"model": "a", "owner": "a"}},
				testValues{source: source, attributes: attrs{"model": "b", "owner": "b"}},
				testValues{source: "mdm", attributes: attrs{"model": "c", "owner": "c"}},
			), nil, now, rules)
			if model, owner := got.Provenance["model"], got.Provenance["owner"]; model.Source != "mdm" || owner.Source != "manual" {
				t.Errorf("%s: the model is that of %s, the owner that of %s", source, model.Source, owner.Source)
			}
			if observes := reconcile.DefaultPrecedence().Observes(source); observes != (format.Category == inventory.CategoryInventory) {
				t.Errorf("%s observes: %v", source, observes)
			}
		}
	}
}
