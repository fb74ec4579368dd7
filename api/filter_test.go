package api

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/musterhq/muster/internal/inventory"
)

func TestParseFilter(t *testing.T) {
	t.Parallel()
	one := func(attribute, operator, value string) []inventory.Condition {
		return []inventory.Condition{{Attribute: attribute, Operator: operator, Value: value}}
	}
	for text, want := range map[string][]inventory.Condition{
		``:                                   nil,
		"  \t ":                              nil,
		`owner = Anna`:                       one("owner", "=", "Anna"),
		`owner="Anna Schmidt"`:               one("owner", "=", "Anna Schmidt"),
		`owner:*`:                            one("owner", ":", "*"),
		`cost>=249.90`:                       one("cost", ">=", "249.90"),
		`cost<-1`:                            one("cost", "<", "-1"),
		`model != "a \"b\" \\ \n"`:           one("model", "!=", `a "b" \ \n`),
		`model = ""`:                         one("model", "=", ""),
		`model = \d`:                         one("model", "=", `\d`),
		`serial_number = 20XW004AUS`:         one("serial_number", "=", "20XW004AUS"),
		`mac_address = 00:11:22:33:44:55`:    one("mac_address", "=", "00:11:22:33:44:55"),
		`last_seen < 2026-01-31T12:00:00Z`:   one("last_seen", "<", "2026-01-31T12:00:00Z"),
		`name : "AND"`:                       one("name", ":", "AND"),
		`name:Büro`:                          one("name", ":", "Büro"),
		"class = laptop AND cost > 1000":     append(one("class", "=", "laptop"), one("cost", ">", "1000")...),
		`a="x"AND b<=2`:                      append(one("a", "=", "x"), one("b", "<=", "2")...),
		"a = 1\nAND\tb = 2 AND c = \"3\"\n ": append(append(one("a", "=", "1"), one("b", "=", "2")...), one("c", "=", "3")...),
	} {
		got, err := parseFilter(text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", text, diff)
		}
	}
}

func TestParseFilterErrors(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		`=1`:                           "at character 1: expected the name of an attribute",
		`Owner = x`:                    "at character 1: expected the name of an attribute",
		`NOT a = 1`:                    "at character 1: expected the name of an attribute",
		`(a = 1)`:                      "at character 1: expected the name of an attribute",
		`a`:                            "at character 2: expected one of the operators",
		`a ~ 1`:                        "at character 3: expected one of the operators",
		`a.b = 1`:                      "at character 2: expected one of the operators",
		`a =`:                          "at character 4: expected a value",
		`a = (1)`:                      "at character 5: expected a value",
		`a = x"y"`:                     "at character 5: expected a value",
		`a = "x`:                       "at character 5: the closing quotation mark is missing",
		`a = "x\"`:                     "at character 5: the closing quotation mark is missing",
		`a = 1 b = 2`:                  `at character 7: expected AND between two conditions, not "b"`,
		`a = "ä" OR b = 2`:             `at character 9: expected AND between two conditions, not "OR"`,
		`a = 1 and b = 2`:              `not "and"`,
		`a = 1 AND`:                    "at character 10: expected the name of an attribute",
		`a = 1 AND AND b = 2`:          "at character 11: expected the name of an attribute",
		many("a = 1", maxConditions+1): "more than 64 conditions",
	} {
		got, err := parseFilter(text)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, %v; want the words %q", text, got, err, want)
			continue
		}
		if place, ok := errors.AsType[*parameterError](err); !ok || place.Location != "query.filter" {
			t.Errorf("%s: the error has no place: %v", text, err)
		}
	}
	if got, err := parseFilter(many("a = 1", maxConditions)); len(got) != maxConditions || err != nil {
		t.Errorf("%d conditions: %d, %v", maxConditions, len(got), err)
	}
}

func many(condition string, n int) string {
	return strings.TrimSuffix(strings.Repeat(condition+" AND ", n), " AND ")
}

// TestParseFilterReadsWhatIsWritten: any conditions, written down with their values in quotation
// marks, are read again.
func TestParseFilterReadsWhatIsWritten(t *testing.T) {
	t.Parallel()
	condition := rapid.Custom(func(t *rapid.T) inventory.Condition {
		return inventory.Condition{
			Attribute: rapid.StringMatching(`[a-z][a-z0-9_]{0,62}`).Draw(t, "attribute"),
			Operator:  rapid.SampledFrom(filterOperators).Draw(t, "operator"),
			Value:     rapid.String().Draw(t, "value"),
		}
	})
	space := rapid.SampledFrom([]string{"", " ", "\t\n", "\u00a0"})
	rapid.Check(t, func(t *rapid.T) {
		want := rapid.SliceOfN(condition, 1, maxConditions).Draw(t, "conditions")
		parts := make([]string, len(want))
		for i, c := range want {
			value := `"` + strings.NewReplacer(`"`, `\"`, `\`, `\\`).Replace(c.Value) + `"`
			parts[i] = c.Attribute + space.Draw(t, "space") + c.Operator + space.Draw(t, "space") + value
		}
		text := strings.Join(parts, " AND ")
		got, err := parseFilter(text)
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("%s (-want +got):\n%s", text, diff)
		}
	})
}

func FuzzParseFilter(f *testing.F) {
	for _, text := range []string{`a = 1 AND b:"x \" y"`, `a=`, `"`, `a = "\`, "a\u2028=\xff"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		conditions, err := parseFilter(text)
		if err != nil && len(conditions) > 0 {
			t.Errorf("%q: conditions and %v", text, err)
		}
		for _, c := range conditions {
			if c.Attribute == "" || c.Operator == "" {
				t.Errorf("%q is read as %+v", text, c)
			}
		}
	})
}
