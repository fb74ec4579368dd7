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

// oracle works out by elimination, attribute by attribute and step by step, what Effective gets by sorting.
type oracle struct {
	document

	at time.Time
}

// word is what a record says of the attribute in question.
type word struct {
	inventory.CandidateValues

	value any
	rank  int
	days  int // that it may be silent; 0: for ever
}

func (o oracle) effective(candidates []inventory.CandidateValues, locks []inventory.Lock) inventory.Effective {
	e := inventory.Effective{Attributes: attrs{}, Provenance: map[string]inventory.Provenance{}}
	for _, attribute := range []string{
		"class", "cost", "kernel", "lifecycle_state", "model", "name", "owner", "serial_number", "uuid",
	} {
		words, lasting := o.words(candidates, attribute)
		value, provenance, known := any(nil), inventory.Provenance{}, false
		if i := o.lock(locks, attribute); i >= 0 {
			value, known = locks[i].Value, true
			provenance = inventory.Provenance{Source: "lock", Rule: "lock"}
		} else if len(words) > 0 {
			chosen, rule := o.choose(words, lasting, attribute == "class")
			value, known = chosen.value, true
			provenance = inventory.Provenance{Record: chosen.Record, Source: chosen.Source, Rule: rule}
			if o.conflict(attribute, words, chosen) {
				e.Conflicts = append(e.Conflicts, attribute)
			}
		}
		if !known {
			continue
		}
		for _, w := range o.ordered(words, lasting) {
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

func kind(source string) string { return strings.Split(source, ":")[0] }

func (o oracle) words(candidates []inventory.CandidateValues, attribute string) (words []word, lasting bool) {
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
		case attribute == "lifecycle_state" && value == nil && slices.Contains(o.Observers, kind(c.Source)) && c.Class != "person":
			value = "in_use"
		}
		rank := slices.IndexFunc(group.Order, func(kinds []string) bool { return slices.Contains(kinds, kind(c.Source)) })
		if rank < 0 {
			rank = slices.IndexFunc(group.Order, func(kinds []string) bool { return slices.Contains(kinds, "*") })
		}
		if said, _ := value.(string); rank > 0 && slices.Contains(group.Beginnings, said) {
			rank = len(group.Order)
		}
		days, named := o.StaleAfterDays[kind(c.Source)]
		if !named {
			days = o.StaleAfterDays["*"]
		}
		if value != nil && value != "" && rank >= 0 {
			words = append(words, word{c, value, rank, days})
		}
	}
	return words, group.Lasting
}

func (o oracle) isStale(w word) bool {
	return w.days > 0 && (w.Former || o.at.Sub(w.SeenAt) > time.Duration(w.days)*24*time.Hour)
}

// outdated are the words that something newer stands against.
func (o oracle) outdated(words []word) []word {
	var list []word
	for _, w := range words {
		for _, other := range words {
			isFresh := other.days > 0 && !o.isStale(other)
			if o.isStale(w) && (isFresh || other.days == 0 && other.SeenAt.After(w.SeenAt)) {
				list = append(list, w)
				break
			}
		}
	}
	return list
}

// eliminate leaves those of which nothing speaks for another, and says which step left one alone.
func eliminate(words, outdated []word) (word, string) {
	if len(words) == 1 {
		return words[0], "only"
	}
	isOutdated := func(w word) bool {
		return slices.ContainsFunc(outdated, func(other word) bool { return other.Record == w.Record })
	}
	steps := []struct {
		rule  string
		worse func(w, than word) bool
	}{
		{"fresh", func(w, than word) bool { return isOutdated(w) && !isOutdated(than) }},
		{"precedence", func(w, than word) bool { return w.rank > than.rank }},
		{"latest", func(w, than word) bool { return w.Former && !than.Former }},
		{"latest", func(w, than word) bool { return w.SeenAt.Before(than.SeenAt) }},
		{"latest", func(w, than word) bool { return w.Record > than.Record }},
	}
	for _, step := range steps {
		var stay []word
		for _, w := range words {
			if !slices.ContainsFunc(words, func(other word) bool { return step.worse(w, other) }) {
				stay = append(stay, w)
			}
		}
		if words = stay; len(words) == 1 {
			return words[0], step.rule
		}
	}
	panic("two records are equal")
}

// ordered takes the best away, again and again.
func (o oracle) ordered(words []word, lasting bool) []word {
	var outdated, order []word
	if !lasting {
		outdated = o.outdated(words)
	}
	for left := slices.Clone(words); len(left) > 0; {
		best, _ := eliminate(left, outdated)
		order = append(order, best)
		left = slices.DeleteFunc(left, func(w word) bool { return w.Record == best.Record })
	}
	return order
}

func (o oracle) choose(words []word, lasting, isClass bool) (word, string) {
	var outdated []word
	if !lasting {
		outdated = o.outdated(words)
	}
	chosen, rule := eliminate(words, outdated)
	if !isClass {
		return chosen, rule
	}
	for _, w := range o.ordered(words, lasting) {
		for above := parentClass(w.value.(string)); above != ""; above = parentClass(above) {
			if above == chosen.value {
				chosen, rule = w, "specific"
				break
			}
		}
	}
	return chosen, rule
}

func (o oracle) conflict(attribute string, words []word, chosen word) bool {
	for _, a := range words {
		over := slices.Contains([]any{"retired", "disposed", "lost"}, chosen.value)
		if attribute == "lifecycle_state" && over && a.value == "in_use" && a.days > 0 && !o.isStale(a) && a.SeenAt.After(chosen.SeenAt) {
			return true
		}
		for _, b := range words {
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
func estate(t *rapid.T) ([]inventory.CandidateValues, []inventory.Lock) {
	value := rapid.SampledFrom([]any{"", "A", "B", "C", nil})
	numbers := rapid.SampledFrom([]any{json.Number("1"), json.Number("2")})
	states := rapid.SampledFrom([]any{"ordered", "in_stock", "in_use", "disposed", "lost"})
	attributes := rapid.Custom(func(t *rapid.T) attrs {
		a := attrs{}
		for _, name := range []string{"model", "name", "owner", "serial_number", "uuid", "kernel"} {
			if rapid.Bool().Draw(t, name+" is said") {
				a[name] = value.Draw(t, name)
			}
		}
		if rapid.Bool().Draw(t, "cost is said") {
			a["cost"] = numbers.Draw(t, "cost")
		}
		if rapid.IntRange(0, 3).Draw(t, "state is said") == 0 {
			a["lifecycle_state"] = states.Draw(t, "lifecycle_state")
		}
		return a
	})
	var says []inventory.CandidateValues
	for i := range rapid.IntRange(0, 5).Draw(t, "records") {
		source := rapid.SampledFrom([]string{
			"agent", "agent", "hypervisor:dc1", "mdm", "glpi:eu", "ocs", "snmp", "discovery", "directory", "csv:hr", "purchase", "manual", "warranty",
		}).Draw(t, "source")
		says = append(says, inventory.CandidateValues{
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
	return says, locks
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
		says, locks := estate(t)
		got := reconcile.Effective(says, locks, now, rules)
		if diff := cmp.Diff(o.effective(says, locks), got); diff != "" {
			t.Errorf("effective (-by elimination +got):\n%s", diff)
		}
	})
}

// TestEffectiveOrder: the order in which records and locks are given means nothing, and neither is changed.
func TestEffectiveOrder(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		says, locks := estate(t)
		want := reconcile.Effective(says, locks, now, rules)
		says2 := rapid.Permutation(slices.Clone(says)).Draw(t, "other order of records")
		locks2 := rapid.Permutation(slices.Clone(locks)).Draw(t, "other order of locks")
		if diff := cmp.Diff(want, reconcile.Effective(says2, locks2, now, rules)); diff != "" {
			t.Errorf("another order (-one +other):\n%s", diff)
		}
	})
}

// TestEffectiveNothingLost: every value that is said is the effective one or suppressed by it, and none is made up.
func TestEffectiveNothingLost(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		says, _ := estate(t)
		got := reconcile.Effective(says, nil, now, rules)
		for attribute, p := range got.Provenance {
			if attribute == "class" || attribute == "name" || attribute == "lifecycle_state" {
				continue
			}
			if value := says[p.Record-1].Attributes[attribute]; value != got.Attributes[attribute] {
				t.Errorf("%s is %v, but record %d says %v", attribute, got.Attributes[attribute], p.Record, value)
			}
			for _, c := range says {
				value := c.Attributes[attribute]
				said := value != nil && value != "" && (!c.Former || attribute != "kernel")
				isSuppressed := slices.ContainsFunc(p.Suppressed, func(s inventory.Suppressed) bool { return s.Record == c.Record && s.Value == value })
				if want := said && value != got.Attributes[attribute]; isSuppressed != want {
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
	says := candidates(
		testValues{source: "agent", class: "laptop", attributes: attributes}, testValues{source: "glpi", class: "laptop", attributes: attributes},
		testValues{source: "purchase", class: "laptop", attributes: attrs{"serial_number": "S", "owner": "y"}})
	for b.Loop() {
		reconcile.Effective(says, nil, now, rules)
	}
}
