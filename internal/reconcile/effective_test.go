package reconcile_test

import (
	"encoding/json"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/musterhq/muster/internal/inventory"
	"github.com/musterhq/muster/internal/reconcile"
)

var (
	now   = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	rules = reconcile.DefaultPrecedence().WithClasses(parentClass)
)

// parentClass has a class that somebody made below a built-in one, and two that are a circle.
func parentClass(class string) string { return parents[class] }

var parents = map[string]string{
	"computer": "ci", "desktop": "computer", "laptop": "computer", "server": "computer", "virtual_machine": "computer",
	"container": "computer", "gaming_laptop": "laptop", "monitor": "ci", "person": "ci", "contractor": "person",
	"ring": "circle", "circle": "ring",
}

func daysAgo(days int) time.Time { return now.AddDate(0, 0, -days) }

// testValues is what a record says; records are numbered by their place in the list.
type testValues struct {
	source     string
	days       int // since it was observed
	class      string
	attributes inventory.Attributes
	former     bool
}

func candidates(list ...testValues) []inventory.CandidateValues {
	values := make([]inventory.CandidateValues, len(list))
	for i, s := range list {
		values[i] = inventory.CandidateValues{
			Record: int64(i + 1), Source: s.source, Class: s.class, Attributes: s.attributes, Since: daysAgo(400),
			SeenAt: daysAgo(s.days), Former: s.former,
		}
	}
	return values
}

type attrs = inventory.Attributes

// TestEffectiveValue: which of several values wins, and why.
func TestEffectiveValue(t *testing.T) {
	t.Parallel()
	say := func(source string, days int, attribute string, value any) testValues {
		return testValues{source: source, days: days, attributes: attrs{attribute: value}}
	}
	for _, c := range []struct {
		name      string
		attribute string
		says      []testValues
		want      any
		record    int64
		rule      string
		others    []int64
	}{
		{"one source", "model", []testValues{say("agent", 0, "model", "A")}, "A", 1, "only", nil},
		{"one source, though stale", "model", []testValues{say("agent", 400, "model", "A")}, "A", 1, "only", nil},
		{"nobody else knows", "model", []testValues{say("agent", 0, "kernel", "6"), say("csv:hr", 9, "model", "B")}, "B", 2, "only", nil},
		{"an agent before an import", "model", []testValues{say("glpi", 0, "model", "B"), say("agent", 9, "model", "A")}, "A", 2, "precedence", []int64{1}},
		{"a hypervisor before an MDM", "model", []testValues{say("mdm", 0, "model", "B"), say("hypervisor:dc1", 9, "model", "A")}, "A", 2, "precedence", []int64{1}},
		{"a fresh import before a stale agent", "os_version", []testValues{say("agent", 31, "os_version", "12"), say("glpi", 29, "os_version", "13")}, "13", 2, "fresh", []int64{1}},
		{"thirty days are not stale", "os_version", []testValues{say("agent", 30, "os_version", "12"), say("glpi", 0, "os_version", "13")}, "12", 1, "precedence", []int64{2}},
		{"of stale ones the better", "os_version", []testValues{say("glpi", 40, "os_version", "13"), say("agent", 90, "os_version", "12")}, "12", 2, "precedence", []int64{1}},
		{"a stale agent before an older purchase", "model", []testValues{say("agent", 60, "model", "A"), say("purchase", 300, "model", "B")}, "A", 1, "precedence", []int64{2}},
		{"a declaration since before a stale agent", "model", []testValues{say("agent", 60, "model", "A"), say("manual", 10, "model", "B")}, "B", 2, "fresh", []int64{1}},
		{"a person without a lock loses to a fresh agent", "model", []testValues{say("manual", 0, "model", "B"), say("agent", 9, "model", "A")}, "A", 2, "precedence", []int64{1}},
		{"of equal sources the latest", "kernel", []testValues{say("agent", 9, "kernel", "5"), say("agent", 0, "kernel", "6"), say("agent", 3, "kernel", "4")},
			"6", 2, "latest", []int64{3, 1}},
		{"of equal instants the first record", "kernel", []testValues{say("agent", 0, "kernel", "5"), say("agent", 0, "kernel", "6")}, "5", 1, "latest", []int64{2}},
		{"imports are equal", "model", []testValues{say("ocs", 3, "model", "A"), say("glpi:eu", 1, "model", "B")}, "B", 2, "latest", []int64{1}},
		{"a value that is not said", "model", []testValues{say("agent", 0, "model", ""), say("agent", 0, "model", nil), say("snmp", 9, "model", "A")}, "A", 3, "only", nil},
		{"the same value is not suppressed", "model", []testValues{say("agent", 0, "model", "A"), say("glpi", 0, "model", " a")}, "A", 1, "precedence", nil},
		{"equal numbers are the same value", "cost", []testValues{say("purchase", 0, "cost", json.Number("10")), say("csv", 1, "cost", json.Number("10.0"))},
			json.Number("10"), 1, "latest", nil},
		{"one UUID, written in two ways", "uuid", []testValues{say("agent", 0, "uuid", "00010203-0405-0607-0809-0a0b0c0d0e0f"), say("glpi", 0, "uuid", "03020100-0504-0706-0809-0A0B0C0D0E0F")},
			"00010203-0405-0607-0809-0a0b0c0d0e0f", 1, "precedence", nil},

		{"a person's owner before a purchase's", "owner", []testValues{say("purchase", 0, "owner", "B"), say("manual", 300, "owner", "A")}, "A", 2, "precedence", []int64{1}},
		{"a purchase's before the directory's", "owner", []testValues{say("directory", 0, "owner", "B"), say("csv:hr", 300, "owner", "A")}, "A", 2, "precedence", []int64{1}},
		{"the directory's before an import's", "owner", []testValues{say("glpi", 0, "owner", "B"), say("directory", 300, "owner", "A")}, "A", 2, "precedence", []int64{1}},
		{"an asset tag from anywhere before the firmware's", "asset_tag", []testValues{say("agent", 0, "asset_tag", "B"), say("glpi", 9, "asset_tag", "A")}, "A", 2, "precedence", []int64{1}},
		{"the directory's address before anybody's", "email", []testValues{say("manual", 0, "email", "B"), say("directory", 300, "email", "A")}, "A", 2, "precedence", []int64{1}},
		{"a source of unknown kind", "model", []testValues{say("directory", 0, "model", "B"), say("warranty:acme", 1, "model", "A")}, "A", 2, "precedence", []int64{1}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			got := reconcile.Effective(candidates(c.says...), nil, now, rules)
			if value := got.Attributes[c.attribute]; value != c.want {
				t.Errorf("%s is %v, want %v", c.attribute, value, c.want)
			}
			p := got.Provenance[c.attribute]
			if p.Record != c.record || p.Rule != c.rule || p.Source != c.says[c.record-1].source {
				t.Errorf("from record %d, source %s, rule %s; want record %d, rule %s", p.Record, p.Source, p.Rule, c.record, c.rule)
			}
			var others []int64
			for _, s := range p.Suppressed {
				others = append(others, s.Record)
			}
			if diff := cmp.Diff(c.others, others); diff != "" {
				t.Errorf("suppressed records (-want +got):\n%s", diff)
			}
		})
	}
}

func TestEffectiveName(t *testing.T) {
	t.Parallel()
	name := func(source string, value string) testValues {
		return testValues{source: source, attributes: attrs{"name": value}}
	}
	order := []string{"agent", "hypervisor", "mdm", "glpi", "snmp", "discovery", "manual", "directory", "csv", "warranty"}
	var says []testValues
	for i, source := range slices.Backward(order) {
		says = append(says, name(source, order[i]))
		got := reconcile.Effective(candidates(says...), nil, now, rules)
		if got.Name != source || got.Provenance["name"].Source != source {
			t.Errorf("with %s the name is %s, from %s", source, got.Name, got.Provenance["name"].Source)
		}
		if _, there := got.Attributes["name"]; there {
			t.Error("the name is among the attributes")
		}
	}
}

func TestEffectiveClass(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		says []testValues
		want string
		rule string
	}{
		{"nobody says", []testValues{{source: "csv"}}, "", ""},
		{"an attribute of that name alone", []testValues{{source: "agent", attributes: attrs{"class": "server"}}}, "", ""},
		{"one says", []testValues{{source: "agent", class: "laptop"}}, "laptop", "only"},
		{"what the agent sees before what was bought", []testValues{{source: "purchase", class: "laptop"}, {source: "agent", class: "virtual_machine"}}, "virtual_machine", "precedence"},
		{"an agent that does not know the form", []testValues{{source: "agent", class: "computer"}, {source: "purchase", class: "laptop"}}, "laptop", "specific"},
		{"a class that somebody made", []testValues{{source: "agent", class: "laptop"}, {source: "manual", class: "gaming_laptop"}}, "gaming_laptop", "specific"},
		{"two steps", []testValues{{source: "agent", class: "computer"}, {source: "glpi", class: "laptop"}, {source: "csv", class: "gaming_laptop"}}, "gaming_laptop", "specific"},
		{"the better of two kinds", []testValues{{source: "agent", class: "computer"}, {source: "glpi", class: "desktop"}, {source: "csv", class: "gaming_laptop"}}, "desktop", "specific"},
		{"a form does not age", []testValues{{source: "agent", class: "computer"}, {source: "glpi", class: "laptop", days: 99}}, "laptop", "specific"},
		{"the more general one adds nothing", []testValues{{source: "agent", class: "laptop"}, {source: "glpi", class: "computer"}}, "laptop", "precedence"},
		{"an attribute of that name is no class", []testValues{{source: "agent", class: "laptop", attributes: attrs{"class": "server"}}}, "laptop", "only"},
		{"classes in a circle", []testValues{{source: "agent", class: "ring"}, {source: "glpi", class: "desktop"}}, "ring", "precedence"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			got := reconcile.Effective(candidates(c.says...), nil, now, rules)
			if got.Class != c.want || got.Provenance["class"].Rule != c.rule {
				t.Errorf("class %q by %q, want %q by %q", got.Class, got.Provenance["class"].Rule, c.want, c.rule)
			}
		})
	}
}

// TestEffectiveClassesUnknown: without knowledge of classes none is a kind of another.
func TestEffectiveClassesUnknown(t *testing.T) {
	t.Parallel()
	says := candidates(testValues{source: "agent", class: "computer"}, testValues{source: "purchase", class: "laptop"})
	if got := reconcile.Effective(says, nil, now, reconcile.DefaultPrecedence()); got.Class != "computer" {
		t.Errorf("class %s, want computer", got.Class)
	}
}

func TestEffectiveLifecycle(t *testing.T) {
	t.Parallel()
	state := func(source string, days int, state string) testValues {
		return testValues{source: source, days: days, class: "laptop", attributes: attrs{"lifecycle_state": state}}
	}
	agent := func(days int) testValues { return testValues{source: "agent", days: days, class: "laptop"} }
	for _, c := range []struct {
		name      string
		says      []testValues
		want      any
		conflicts []string
	}{
		{"ordered", []testValues{state("purchase", 50, "ordered")}, "ordered", nil},
		{"ordered, and then seen", []testValues{state("purchase", 50, "ordered"), agent(0)}, "in_use", nil},
		{"a machine that is switched off is not ordered again", []testValues{state("purchase", 0, "ordered"), agent(80)}, "in_use", nil},
		{"a list that knows better", []testValues{state("csv:it", 3, "in_repair"), agent(0)}, "in_repair", nil},
		{"two lists, of which one knows better", []testValues{state("csv:it", 3, "in_repair"), state("purchase", 0, "ordered"), agent(0)}, "in_repair", nil},
		{"lost, as a list says, and seen since", []testValues{state("csv:it", 3, "lost"), agent(0)}, "lost", []string{"lifecycle_state"}},
		{"a person says otherwise", []testValues{state("manual", 50, "in_repair"), agent(0)}, "in_repair", nil},
		{"an import that knows the state", []testValues{state("glpi", 0, "in_stock")}, "in_stock", nil},
		{"an import of an inventory", []testValues{{source: "ocs:eu", class: "laptop"}}, "in_use", nil},
		{"a person, to whom that does not apply", []testValues{{source: "glpi", class: "person"}}, nil, nil},
		{"a kind of person", []testValues{{source: "glpi", class: "contractor"}}, nil, nil},
		{"nobody has seen it", []testValues{{source: "csv", class: "laptop"}}, nil, nil},
		{"its disk is in another machine", []testValues{{source: "agent", class: "laptop", former: true}}, nil, nil},
		{"disposed, and seen before", []testValues{state("manual", 5, "disposed"), agent(6)}, "disposed", nil},
		{"disposed, and seen since", []testValues{state("manual", 5, "disposed"), agent(4)}, "disposed", []string{"lifecycle_state"}},
		{"lost, and long ago seen since", []testValues{state("manual", 90, "lost"), agent(60)}, "lost", nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			got := reconcile.Effective(candidates(c.says...), nil, now, rules)
			if state := got.Attributes["lifecycle_state"]; state != c.want {
				t.Errorf("%v, want %v", state, c.want)
			}
			if diff := cmp.Diff(c.conflicts, got.Conflicts); diff != "" {
				t.Errorf("conflicts (-want +got):\n%s", diff)
			}
		})
	}
}

// TestEffectiveFormer: an agent's disk went into another machine. What it said of the hardware is true of this one
// still, until somebody who is there says something else.
func TestEffectiveFormer(t *testing.T) {
	t.Parallel()
	moved := testValues{source: "agent", class: "laptop", former: true, attributes: attrs{
		"name": "desk-1", "hostname": "desk-1", "fqdn": "desk-1.example.com", "os_name": "Debian", "os_version": "12", "os_edition": "x",
		"os_build": "1", "kernel": "6", "arch": "x86_64", "install_id": "i", "serial_number": "OLD", "model": "Latitude",
	}}
	got := reconcile.Effective(candidates(moved), nil, now, rules)
	want := inventory.Effective{
		Class: "laptop", Attributes: attrs{"serial_number": "OLD", "model": "Latitude"},
		Provenance: map[string]inventory.Provenance{
			"class": {Record: 1, Source: "agent", Rule: "only"}, "serial_number": {Record: 1, Source: "agent", Rule: "only"},
			"model": {Record: 1, Source: "agent", Rule: "only"},
		},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("alone (-want +got):\n%s", diff)
	}
	for source, others := range map[string]testValues{
		"an import that is fresh": {source: "snmp", days: 9, attributes: attrs{"model": "Precision"}},
		"an older agent":          {source: "agent", days: 60, attributes: attrs{"model": "Precision"}},
	} {
		if got := reconcile.Effective(candidates(moved, others), nil, now, rules).Attributes["model"]; got != "Precision" {
			t.Errorf("%s: model %v", source, got)
		}
	}
}

func TestEffectiveLocks(t *testing.T) {
	t.Parallel()
	past, future := daysAgo(1), now.AddDate(0, 0, 1)
	lock := func(attribute string, value any) inventory.Lock {
		return inventory.Lock{Attribute: attribute, Value: value, LockedAt: daysAgo(10)}
	}
	locks := []inventory.Lock{
		lock("model", "Held"), lock("name", "front desk"), lock("class", "desktop"), lock("owner", nil), lock("location", "Room 1"),
		{Attribute: "kernel", Value: "0", LockedAt: daysAgo(10), Until: &past},
		{Attribute: "arch", Value: "0", LockedAt: daysAgo(10), Until: &now},
		{Attribute: "os_name", Value: "Held", LockedAt: daysAgo(10), Until: &future},
		{Attribute: "serial_number", Value: "FIRST", LockedAt: daysAgo(11)}, lock("serial_number", "SECOND"),
	}
	agent := testValues{source: "agent", class: "laptop", attributes: attrs{
		"model": "A", "name": "desk-1", "owner": "x", "kernel": "6", "arch": "x86_64", "os_name": "Debian", "serial_number": "S",
	}}
	glpi := testValues{source: "glpi", class: "desktop", attributes: attrs{"serial_number": "T", "model": "Held"}}
	got := reconcile.Effective(candidates(agent, glpi), locks, now, rules)
	held := func(others ...inventory.Suppressed) inventory.Provenance {
		return inventory.Provenance{Source: "lock", Rule: "lock", Suppressed: others}
	}
	one := func(value any) inventory.Suppressed {
		return inventory.Suppressed{Record: 1, Source: "agent", Value: value}
	}
	only := inventory.Provenance{Record: 1, Source: "agent", Rule: "only"}
	want := inventory.Effective{
		Class: "desktop", Name: "front desk",
		Attributes: attrs{
			"model": "Held", "location": "Room 1", "kernel": "6", "arch": "x86_64", "os_name": "Held", "serial_number": "SECOND",
			"lifecycle_state": "in_use",
		},
		Provenance: map[string]inventory.Provenance{
			"model": held(one("A")), "name": held(one("desk-1")), "class": held(one("laptop")), "owner": held(one("x")), "location": held(),
			"os_name": held(one("Debian")), "kernel": only, "arch": only,
			"serial_number":   held(one("S"), inventory.Suppressed{Record: 2, Source: "glpi", Value: "T"}),
			"lifecycle_state": {Record: 1, Source: "agent", Rule: "precedence"},
		},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("effective (-want +got):\n%s", diff)
	}
}

// TestEffectiveClassLock: a CI has a class, whatever a lock says.
func TestEffectiveClassLock(t *testing.T) {
	t.Parallel()
	for _, value := range []any{nil, "", json.Number("1")} {
		locks := []inventory.Lock{{Attribute: "class", Value: value}}
		if got := reconcile.Effective(candidates(testValues{source: "agent", class: "laptop"}), locks, now, rules).Class; got != "laptop" {
			t.Errorf("locked at %v the class is %q", value, got)
		}
	}
}

func TestEffectiveConflicts(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		says []testValues
		want []string
	}{
		{"two serial numbers and owners", []testValues{
			{source: "agent", attributes: attrs{"serial_number": "A", "owner": "x", "model": "m"}},
			{source: "purchase", days: 300, attributes: attrs{"serial_number": "B", "owner": "y", "model": "n"}},
		}, []string{"owner", "serial_number"}},
		{"two numbers", []testValues{
			{source: "agent", attributes: attrs{"serial_number": json.Number("17179869184")}},
			{source: "glpi", attributes: attrs{"serial_number": json.Number("8589934592")}},
		}, []string{"serial_number"}},
		{"the same, written otherwise", []testValues{
			{source: "agent", attributes: attrs{"serial_number": "abc", "uuid": "00010203-0405-0607-0809-0a0b0c0d0e0f"}},
			{source: "glpi", attributes: attrs{"serial_number": "ABC ", "uuid": "03020100-0504-0706-0809-0A0B0C0D0E0F"}},
		}, nil},
		{"two UUIDs", []testValues{
			{source: "agent", attributes: attrs{"uuid": "00010203-0405-0607-0809-0a0b0c0d0e0f"}},
			{source: "glpi", attributes: attrs{"uuid": "03020100-0504-0706-0809-0a0b0c0d0eff"}},
		}, []string{"uuid"}},
		{"a stale one", []testValues{
			{source: "agent", attributes: attrs{"serial_number": "A"}},
			{source: "glpi", days: 31, attributes: attrs{"serial_number": "B"}},
		}, nil},
		{"one that is elsewhere", []testValues{
			{source: "agent", attributes: attrs{"serial_number": "A"}},
			{source: "agent", former: true, attributes: attrs{"serial_number": "B"}},
		}, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			got := reconcile.Effective(candidates(c.says...), nil, now, rules)
			if diff := cmp.Diff(c.want, got.Conflicts); diff != "" {
				t.Errorf("conflicts (-want +got):\n%s", diff)
			}
		})
	}
}

// TestEffectiveNothing: a CI of which nobody says anything is empty, not an error.
func TestEffectiveNothing(t *testing.T) {
	t.Parallel()
	want := inventory.Effective{Attributes: attrs{}, Provenance: map[string]inventory.Provenance{}}
	if diff := cmp.Diff(want, reconcile.Effective(nil, nil, now, rules)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
