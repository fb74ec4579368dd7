package identify_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/musterhq/muster/internal/identify"
)

// mutants returns, for every rule, weight, bonus and threshold, a document of rules without it.
func mutants(t testing.TB) map[string]string {
	t.Helper()
	data, err := os.ReadFile("rules/rules.json")
	if err != nil {
		t.Fatal(err)
	}
	var rules struct {
		Thresholds map[string]int            `json:"thresholds"`
		Families   map[string]map[string]any `json:"families"`
		Kinds      map[string]map[string]any `json:"kinds"`
		Sources    map[string]string         `json:"sources"`
	}
	if err := json.Unmarshal(data, &rules); err != nil {
		t.Fatal(err)
	}
	all := map[string]string{"kinds single": `"kinds": {` + strings.Join(plural(rules.Kinds), ", ") + `}`}
	document, err := identify.Default().Document()
	if err != nil {
		t.Fatal(err)
	}
	var decided struct {
		Rules map[string]bool `json:"rules"`
	}
	if err := json.Unmarshal(document, &decided); err != nil {
		t.Fatal(err)
	}
	for name := range decided.Rules {
		all["rule "+name] = fmt.Sprintf(`"rules": {%q: false}`, name)
	}
	for name := range rules.Thresholds {
		all["threshold "+name] = fmt.Sprintf(`"thresholds": {%q: %d}`, name, disabled[name])
	}
	for name, f := range rules.Families {
		for field, value := range f {
			all["family "+name+" "+field] = fmt.Sprintf(`"families": {%q: {%q: %s}}`, name, field, without(value))
		}
	}
	for name, k := range rules.Kinds {
		for field, value := range k {
			if field != "family" && field != "single" && value != 0.0 {
				all["kind "+name+" "+field] = fmt.Sprintf(`"kinds": {%q: {%q: %s}}`, name, field, without(value))
			}
		}
	}
	return all
}

// plural makes kinds of which a device has one at a time unbounded.
func plural(kinds map[string]map[string]any) []string {
	var fields []string
	for name, k := range kinds {
		if k["single"] == true {
			fields = append(fields, fmt.Sprintf(`%q: {"single": false}`, name))
		}
	}
	return fields
}

// disabled are the values that make thresholds ineffective.
var disabled = map[string]int{
	"link": 11, "review": 24, "veto": -1000, "alive": -1000, "disagreement": 1000, "contradiction": 1000,
	"families": 1, "moved": -1000, "kept": -20, "old_days": 36500,
}

func without(value any) string {
	switch value.(type) {
	case bool:
		return "false"
	case string:
		return `""`
	default:
		return "0"
	}
}

// TestEveryRuleMatters: without any single rule, weight or threshold a hazard fails.
func TestEveryRuleMatters(t *testing.T) {
	t.Parallel()
	all := hazards(t)
	for i := range all {
		all[i].Reports = normalized(identify.Default(), all[i].Reports)
	}
	documents := mutants(t)
	for _, name := range slices.Sorted(maps.Keys(documents)) {
		rules := parse(t, `{"version": "mutant", `+documents[name]+`}`)
		noticed := slices.ContainsFunc(all, func(h hazard) bool { return h.diff(h.run(rules, h.Reports)) != "" })
		if !noticed {
			t.Errorf("without %s every hazard comes out the same", name)
		}
	}
}
