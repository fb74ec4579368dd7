package reconcile_test

import (
	"strings"
	"testing"

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
		{"a source type twice", `{"version":"x","groups":[{"name":"n","order":[["agent"],["csv","agent"]]}]}`, "agent is listed twice"},
		{"a source, not a source type", `{"version":"x","groups":[{"name":"n","order":[["csv:hr"]]}]}`, `"csv:hr" is not a source type`},
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

// TestPrecedenceNeverObserved: a source type that is not in the order of a group is ignored, and
// not suppressed either.
func TestPrecedenceNeverObserved(t *testing.T) {
	t.Parallel()
	rules, err := reconcile.ParsePrecedence([]byte(`{"version":"x","groups":[{"name":"rest","order":[["agent"]]},
		{"name":"money","attributes":["cost"],"order":[["purchase"],["manual"]]}]}`))
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
