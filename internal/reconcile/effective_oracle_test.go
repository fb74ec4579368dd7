package reconcile_test

import (
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/musterhq/muster/internal/inventory"
	"github.com/musterhq/muster/internal/reconcile"
)

// document is the precedence, read as it stands.
type document struct {
	StaleAfterDays map[string]int `json:"stale_after_days"`
	Groups         []struct {
		Attributes []string
		Lasting    bool
		Beginnings []string
		Order      [][]string
	}
	Observers        []string
	WithoutLifecycle []string `json:"without_lifecycle"`
	Installation     []string
	Conflicting      []string
}

// oracle computes by elimination, attribute by attribute and step by step, what Effective computes
// by sorting.
type oracle struct {
	document

	at time.Time
}

// oracleValue is what a record reports for one attribute.
type oracleValue struct {
	inventory.CandidateValues

	value any
	rank  int
	days  int // after which it is stale; 0: never
}

func (o oracle) effective(candidates []inventory.CandidateValues, locks []inventory.Lock) inventory.Effective {
	e := inventory.Effective{Attributes: attrs{}, Provenance: map[string]inventory.Provenance{}}
	for _, attribute := range []string{
		"class", "cost", "kernel", "lifecycle_state", "model", "name", "owner", "serial_number", "uuid",
	} {
		values, lasting := o.values(candidates, attribute)
		value, provenance, known := any(nil), inventory.Provenance{}, false
		if i := o.lock(locks, attribute); i >= 0 {
			value, known = locks[i].Value, true
			provenance = inventory.Provenance{Source: "lock", Rule: "lock"}
		} else if len(values) > 0 {
			chosen, rule := o.choose(values, lasting, attribute == "class")
			value, known = chosen.value, true
			provenance = inventory.Provenance{Record: chosen.Record, Source: chosen.Source, Rule: rule}
			if o.conflict(attribute, values, chosen) {
				e.Conflicts = append(e.Conflicts, attribute)
			}
		}
		if !known {
			continue
		}
		for _, w := range o.ordered(values, lasting) {
			if w.value != value {
				provenance.Suppressed = append(provenance.Suppressed, inventory.Suppressed{Record: w.Record, Source: w.Source, Value: w.value})
			}
		}
		e.Provenance[attribute] = provenance
		switch attribute {
		case "class":
			e.Class = value.(string)
		case "name":
			e.Name = value.(string)
		default:
			e.Attributes[attribute] = value
		}
	}
	return e
}

// categoryOf states the categories anew: other tools' inventories and lists, else the source type.
func categoryOf(source string) string {
	sourceType, _, _ := strings.Cut(source, ":")
	switch sourceType {
	case "glpi", "fusioninventory", "ocs":
		return "inventory"
	case "csv", "purchase":
		return "list"
	default:
		return sourceType
	}
}

func (o oracle) values(candidates []inventory.CandidateValues, attribute string) (values []oracleValue, lasting bool) {
	group := o.Groups[len(o.Groups)-1]
	for _, g := range o.Groups {
		if slices.Contains(g.Attributes, attribute) {
			group = g
		}
	}
	for _, c := range candidates {
		value := c.Attributes[attribute]
		switch {
		case attribute == "class":
			value = c.Class
		case c.Former && slices.Contains(o.Installation, attribute):
			value = nil
		case attribute == "lifecycle_state" && value == nil && slices.Contains(o.Observers, categoryOf(c.Source)) && c.Class != "person":
			value = "in_use"
		}
		rank := slices.IndexFunc(group.Order, func(categories []string) bool { return slices.Contains(categories, categoryOf(c.Source)) })
		if rank < 0 {
			rank = slices.IndexFunc(group.Order, func(categories []string) bool { return slices.Contains(categories, "*") })
		}
		if text, _ := value.(string); rank > 0 && slices.Contains(group.Beginnings, text) {
			rank = len(group.Order)
		}
		days, named := o.StaleAfterDays[categoryOf(c.Source)]
		if !named {
			days = o.StaleAfterDays["*"]
		}
		if value != nil && value != "" && rank >= 0 {
			values = append(values, oracleValue{c, value, rank, days})
		}
	}
	return values, group.Lasting
}

func (o oracle) isStale(w oracleValue) bool {
	return w.days > 0 && (w.Former || o.at.Sub(w.SeenAt) > time.Duration(w.days)*24*time.Hour)
}

// outdated returns the stale values for which a newer one exists.
func (o oracle) outdated(values []oracleValue) []oracleValue {
	var list []oracleValue
	for _, w := range values {
		for _, other := range values {
			isFresh := other.days > 0 && !o.isStale(other)
			if o.isStale(w) && (isFresh || other.days == 0 && other.SeenAt.After(w.SeenAt)) {
				list = append(list, w)
				break
			}
		}
	}
	return list
}

// eliminate removes the values that another one is preferred to, step by step, and returns the last
// one with the rule that left it.
func eliminate(values, outdated []oracleValue) (oracleValue, string) {
	if len(values) == 1 {
		return values[0], "only"
	}
	isOutdated := func(w oracleValue) bool {
		return slices.ContainsFunc(outdated, func(other oracleValue) bool { return other.Record == w.Record })
	}
	steps := []struct {
		rule  string
		worse func(w, than oracleValue) bool
	}{
		{"fresh", func(w, than oracleValue) bool { return isOutdated(w) && !isOutdated(than) }},
		{"precedence", func(w, than oracleValue) bool { return w.rank > than.rank }},
		{"latest", func(w, than oracleValue) bool { return w.Former && !than.Former }},
		{"latest", func(w, than oracleValue) bool { return w.SeenAt.Before(than.SeenAt) }},
		{"latest", func(w, than oracleValue) bool { return w.Record > than.Record }},
	}
	for _, step := range steps {
		var stay []oracleValue
		for _, w := range values {
			if !slices.ContainsFunc(values, func(other oracleValue) bool { return step.worse(w, other) }) {
				stay = append(stay, w)
			}
		}
		if values = stay; len(values) == 1 {
			return values[0], step.rule
		}
	}
	panic("two records are equal")
}

// ordered takes the best away, again and again.
func (o oracle) ordered(values []oracleValue, lasting bool) []oracleValue {
	var outdated, order []oracleValue
	if !lasting {
		outdated = o.outdated(values)
	}
	for left := slices.Clone(values); len(left) > 0; {
		best, _ := eliminate(left, outdated)
		order = append(order, best)
		left = slices.DeleteFunc(left, func(w oracleValue) bool { return w.Record == best.Record })
	}
	return order
}

func (o oracle) choose(values []oracleValue, lasting, isClass bool) (oracleValue, string) {
	var outdated []oracleValue
	if !lasting {
		outdated = o.outdated(values)
	}
	chosen, rule := eliminate(values, outdated)
	if !isClass {
		return chosen, rule
	}
	for _, w := range o.ordered(values, lasting) {
		for above := parentClass(w.value.(string)); above != ""; above = parentClass(above) {
			if above == chosen.value {
				chosen, rule = w, "specific"
				break
			}
		}
	}
	return chosen, rule
}

func (o oracle) conflict(attribute string, values []oracleValue, chosen oracleValue) bool {
	for _, a := range values {
		over := slices.Contains([]any{"retired", "disposed", "lost"}, chosen.value)
		if attribute == "lifecycle_state" && over && a.value == "in_use" && a.days > 0 && !o.isStale(a) && a.SeenAt.After(chosen.SeenAt) {
			return true
		}
		for _, b := range values {
			if slices.Contains(o.Conflicting, attribute) && !o.isStale(a) && !o.isStale(b) && a.value != b.value {
				return true
			}
		}
	}
	return false
}

func (o oracle) lock(locks []inventory.Lock, attribute string) int {
	held := -1
	for i, l := range locks {
		if l.Attribute == attribute && (l.Until == nil || o.at.Before(*l.Until)) && (held < 0 || l.LockedAt.After(locks[held].LockedAt)) {
			held = i
		}
	}
	return held
}

// inventory draws what records say of one CI: few sources, instants and values, so that they meet.
func drawCI(t *rapid.T) ([]inventory.CandidateValues, []inventory.Lock) {
	value := rapid.SampledFrom([]any{"", "A", "B", "C", nil})
	numbers := rapid.SampledFrom([]any{json.Number("1"), json.Number("2")})
	states := rapid.SampledFrom([]any{"ordered", "in_stock", "in_use", "disposed", "lost"})
	attributes := rapid.Custom(func(t *rapid.T) attrs {
		a := attrs{}
		for _, name := range []string{"model", "name", "owner", "serial_number", "uuid", "kernel"} {
			if rapid.Bool().Draw(t, name+" is known") {
				a[name] = value.Draw(t, name)
			}
		}
		if rapid.Bool().Draw(t, "cost is known") {
			a["cost"] = numbers.Draw(t, "cost")
		}
		if rapid.IntRange(0, 3).Draw(t, "state is known") == 0 {
			a["lifecycle_state"] = states.Draw(t, "lifecycle_state")
		}
		return a
	})
	var records []inventory.CandidateValues
	for i := range rapid.IntRange(0, 5).Draw(t, "records") {
		source := rapid.SampledFrom([]string{
			"agent", "agent", "hypervisor:dc1", "mdm", "glpi:eu", "ocs", "snmp", "discovery", "directory", "csv:hr", "purchase", "manual", "warranty",
		}).Draw(t, "source")
		records = append(records, inventory.CandidateValues{
			Record: int64(i + 1), Source: source, Attributes: attributes.Draw(t, "attributes"),
			Class:  rapid.SampledFrom([]string{"", "computer", "laptop", "gaming_laptop", "virtual_machine", "person"}).Draw(t, "class"),
			SeenAt: daysAgo(rapid.SampledFrom([]int{0, 5, 30, 31, 60}).Draw(t, "days")),
			Former: source == "agent" && rapid.IntRange(0, 3).Draw(t, "left") == 0,
		})
	}
	var locks []inventory.Lock
	for i := range rapid.IntRange(0, 3).Draw(t, "locks") {
		lock := inventory.Lock{
			Attribute: rapid.SampledFrom([]string{"model", "name", "owner", "class"}).Draw(t, "locked"),
			Value:     fmt.Sprint("held ", i), LockedAt: daysAgo(100 + i),
		}
		if rapid.Bool().Draw(t, "ends") {
			until := now.Add(time.Duration(rapid.IntRange(-1, 1).Draw(t, "until")) * time.Hour)
			lock.Until = &until
		}
		locks = append(locks, lock)
	}
	return records, locks
}

func TestEffectiveOracle(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("precedence.json")
	if err != nil {
		t.Fatal(err)
	}
	o := oracle{at: now}
	if err := json.Unmarshal(text, &o.document); err != nil {
		t.Fatal(err)
	}
	rapid.Check(t, func(t *rapid.T) {
		records, locks := drawCI(t)
		got := reconcile.Effective(records, locks, now, rules)
		if diff := cmp.Diff(o.effective(records, locks), got); diff != "" {
			t.Errorf("effective (-by elimination +got):\n%s", diff)
		}
	})
}

// TestEffectiveOrder: the order of records and locks does not matter, and neither is modified.
func TestEffectiveOrder(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		records, locks := drawCI(t)
		want := reconcile.Effective(records, locks, now, rules)
		otherRecords := rapid.Permutation(slices.Clone(records)).Draw(t, "other order of records")
		locks2 := rapid.Permutation(slices.Clone(locks)).Draw(t, "other order of locks")
		if diff := cmp.Diff(want, reconcile.Effective(otherRecords, locks2, now, rules)); diff != "" {
			t.Errorf("another order (-one +other):\n%s", diff)
		}
	})
}

// TestEffectiveNothingLost: every reported value is effective or suppressed, and no other value
// appears.
func TestEffectiveNothingLost(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		records, _ := drawCI(t)
		got := reconcile.Effective(records, nil, now, rules)
		for attribute, p := range got.Provenance {
			if attribute == "class" || attribute == "name" || attribute == "lifecycle_state" {
				continue
			}
			if value := records[p.Record-1].Attributes[attribute]; value != got.Attributes[attribute] {
				t.Errorf("%s is %v, but record %d records %v", attribute, got.Attributes[attribute], p.Record, value)
			}
			for _, c := range records {
				value := c.Attributes[attribute]
				hasValue := value != nil && value != "" && (!c.Former || attribute != "kernel")
				isSuppressed := slices.ContainsFunc(p.Suppressed, func(s inventory.Suppressed) bool { return s.Record == c.Record && s.Value == value })
				if want := hasValue && value != got.Attributes[attribute]; isSuppressed != want {
					t.Errorf("%s of record %d: suppressed %t, want %t", attribute, c.Record, isSuppressed, want)
				}
			}
		}
	})
}

func BenchmarkEffective(b *testing.B) {
	attributes := attrs{"name": "desk-1", "owner": "x"}
	for _, name := range []string{"manufacturer", "model", "serial_number", "uuid", "os_name", "os_version", "kernel", "arch", "hostname", "fqdn"} {
		attributes[name] = "value of " + name
	}
	records := candidates(
		testValues{source: "agent", class: "laptop", attributes: attributes}, testValues{source: "glpi", class: "laptop", attributes: attributes},
		testValues{source: "purchase", class: "laptop", attributes: attrs{"serial_number": "S", "owner": "y"}})
	for b.Loop() {
		reconcile.Effective(records, nil, now, rules)
	}
}
