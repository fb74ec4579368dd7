package cmdb

import (
	"cmp"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/musterhq/muster/internal/inventory"
)

// listCIs lists the CIs that a query asks for, page by page, by their names.
func listCIs(t *testing.T, s *Store, q inventory.CIQuery) []string {
	t.Helper()
	var names []string
	for {
		n, last := 0, inventory.Position(nil)
		err := s.ListCIs(t.Context(), q, func(ci inventory.CI, at inventory.Position) error {
			names, last = append(names, ci.Name), at
			n++
			return nil
		})
		if err != nil {
			t.Fatalf("%+v: %v", q, err)
		}
		if n == 0 || q.Limit == 0 {
			return names
		}
		q.After = last
	}
}

// aged are CIs of several classes with values of every type, some of which are not known.
func (w *world) aged(r *rand.Rand, n int) {
	pick := func(values ...any) any { return values[r.IntN(len(values))] }
	for i := range n {
		w.now = w.now.Add(time.Duration(1+r.IntN(3600*40)) * time.Second)
		class := pick("computer", "laptop", "server", "monitor", "printer").(string)
		record := w.newRecord(class, fmt.Sprintf("%s %d", pick("Alpha", "beta", "Gamma_", "délta"), i))
		w.now = w.now.Add(time.Second)
		w.set(record.ci, map[string]any{
			"model": pick(nil, "A", "a%b", "B"), "cost": pick(nil, json.Number("9"), json.Number("10"), json.Number("100.25"), json.Number("-1")),
			"warranty_end":    pick(nil, "2026-01-31", "2025-12-31", "2027-02-01"),
			"checked":         pick(nil, "2026-03-01T10:00:00Z", "2026-03-01T10:00:00.5Z", "2026-03-01T10:00:01Z"),
			"lifecycle_state": pick(nil, "in_use", "ordered"), "approved_to_connect": pick(nil, true, false),
		})
	}
}

// plainly is a value as it is compared: nil is unknown and the least.
func plainly(ci *worldCI, field string) any {
	switch field {
	case "class":
		return ci.class
	case "name":
		return ci.name
	}
	switch v := ci.attributes[field].(type) {
	case json.Number:
		f, _ := v.Float64()
		return f
	case bool:
		return strconv.FormatBool(v)
	case string:
		return strings.TrimSuffix(v, "Z")
	default:
		return nil
	}
}

func comparePlainly(a, b any) int {
	switch {
	case a == nil && b == nil:
		return 0
	case a == nil:
		return -1
	case b == nil:
		return 1
	}
	if x, ok := a.(float64); ok {
		return cmp.Compare(x, b.(float64))
	}
	return cmp.Compare(a.(string), b.(string))
}

func holds(ci *worldCI, c inventory.Condition) bool {
	value := plainly(ci, c.Attribute)
	if c.Value == "" {
		return (value == nil) == (c.Operator == "=")
	}
	if value == nil {
		return false
	}
	if c.Operator == ":" {
		return c.Value == "*" || strings.Contains(strings.ToLower(fmt.Sprint(value)), strings.ToLower(c.Value))
	}
	var than any = strings.TrimSuffix(c.Value, "Z")
	if _, ok := value.(float64); ok {
		f, _ := strconv.ParseFloat(c.Value, 64)
		than = f
	}
	order := comparePlainly(value, than)
	return map[string]bool{
		"=": order == 0, "!=": order != 0, "<": order < 0, "<=": order <= 0, ">": order > 0, ">=": order >= 0,
	}[c.Operator]
}

// TestListCIs: every filter, in every order, in pages of every size, gives what a plain search gives.
func TestListCIs(t *testing.T) {
	t.Parallel()
	w, r := newWorld(t), rand.New(rand.NewPCG(1, 3))
	if err := w.s.CreateAttribute(t.Context(), inventory.Attribute{Class: "ci", Name: "checked", Type: "timestamp"}); err != nil {
		t.Fatal(err)
	}
	w.aged(r, 60)
	values := map[string][]string{
		"model": {"A", "a%b", "%", "*", ""}, "cost": {"10", "9.5", "-1", "1e1", "*", ""}, "warranty_end": {"2026-01-31", "2025-12-31", "*"},
		"checked": {"2026-03-01T10:00:00.5Z", "2026-03-01T10:00:00Z", "*"}, "lifecycle_state": {"in_use", "ordered"},
		"approved_to_connect": {"true", "false"}, "class": {"laptop", "printer"}, "name": {"gamma_", "a", "Alpha 1"},
	}
	fields := []string{"model", "cost", "warranty_end", "checked", "lifecycle_state", "approved_to_connect", "class", "name"}
	for range 150 {
		q := inventory.CIQuery{OrderBy: fields[r.IntN(len(fields)-1)], Descending: r.IntN(2) == 0, Page: inventory.Page{Limit: []int{0, 7}[r.IntN(2)]}}
		q.Class = []string{"", "ci", "computer", "monitor"}[r.IntN(4)]
		for range r.IntN(3) {
			field := fields[r.IntN(len(fields))]
			c := inventory.Condition{Attribute: field, Operator: []string{"=", "!=", "<", "<=", ">", ">=", ":"}[r.IntN(7)]}
			c.Value = values[field][r.IntN(len(values[field]))]
			switch {
			case c.Value == "*":
				c.Operator = ":"
			case c.Value == "", field == "approved_to_connect":
				c.Operator = []string{"=", "!="}[r.IntN(2)]
			case field == "class" || field == "name" || field == "model": // whose order is the database's
				c.Operator = []string{"=", "!=", ":"}[r.IntN(3)]
			case c.Operator == ":":
				c.Operator = "<="
			}
			q.Filter = append(q.Filter, c)
		}
		w.checkList(q)
	}
}

func (w *world) checkList(q inventory.CIQuery) {
	w.t.Helper()
	var want []*worldCI
	for _, ci := range w.cis {
		device := slices.Contains([]string{"computer", "laptop", "server"}, ci.class)
		inClass := q.Class == "" || q.Class == "ci" || ci.class == q.Class || q.Class == "computer" && device
		if inClass && !slices.ContainsFunc(q.Filter, func(c inventory.Condition) bool { return !holds(ci, c) }) {
			want = append(want, ci)
		}
	}
	slices.SortFunc(want, func(a, b *worldCI) int {
		order := cmp.Or(comparePlainly(plainly(a, q.OrderBy), plainly(b, q.OrderBy)), cmp.Compare(a.id, b.id))
		if q.Descending {
			return -order
		}
		return order
	})
	var names []string
	for _, ci := range want {
		names = append(names, ci.name)
	}
	got := listCIs(w.t, w.s, q)
	if q.OrderBy == "model" || q.OrderBy == "name" { // in the database's order of text
		slices.Sort(names)
		slices.Sort(got)
	}
	if diff := gocmp.Diff(names, got, cmpopts.EquateEmpty()); diff != "" {
		w.t.Errorf("%+v (-want +got):\n%s", q, diff)
	}
}

func TestListCIsRefuses(t *testing.T) {
	t.Parallel()
	s := OpenStore(t)
	for _, a := range []inventory.Attribute{{Class: "printer", Name: "tray", Type: "integer"}, {Class: "monitor", Name: "tray", Type: "text"}} {
		if err := s.CreateAttribute(t.Context(), a); err != nil {
			t.Fatal(err)
		}
	}
	for says, q := range map[string]inventory.CIQuery{
		"no class car":                           {Class: "car"},
		"class monitor has no attribute":         {Class: "monitor", OrderBy: "uuid"},
		"integer of class printer":               {OrderBy: "tray"},
		"sorted by last_seen":                    {OrderBy: "last_seen"},
		`no operator "~"`:                        {Filter: []inventory.Condition{{Attribute: "name", Operator: "~", Value: "x"}}},
		"attribute cost: ten is no number":       {Filter: []inventory.Condition{{Attribute: "cost", Operator: "=", Value: "ten"}}},
		"approved_to_connect is true or":         {Filter: []inventory.Condition{{Attribute: "approved_to_connect", Operator: "<", Value: "true"}}},
		"cost cannot be more or less":            {Filter: []inventory.Condition{{Attribute: "cost", Operator: "<", Value: ""}}},
		"the page token does not belong to this": {Page: inventory.Page{After: inventory.Position{"x"}}},
	} {
		err := s.ListCIs(t.Context(), q, func(inventory.CI, inventory.Position) error { return nil })
		wantRefusal(t, fmt.Sprintf("%+v", q), err, inventory.CodeInvalid, says)
	}
	printers := inventory.CIQuery{Class: "printer", OrderBy: "tray"}
	if err := s.ListCIs(t.Context(), printers, func(inventory.CI, inventory.Position) error { return nil }); err != nil {
		t.Errorf("of one class: %v", err)
	}
}

// TestCIsOfThePast: at an instant there are the CIs of then, as they were, and an id that was merged away since is its own.
func TestCIsOfThePast(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	kept, disposed, retired := w.newRecord("computer", "kept"), w.newRecord("laptop", "gone"), w.newRecord("monitor", "retired")
	before := w.now
	w.now = w.now.Add(time.Hour)
	w.assign(disposed, kept.ci, true)
	w.rename(kept.ci, "renamed")
	w.retire(retired.ci)
	for _, c := range []struct {
		query inventory.CIQuery
		want  []string
	}{
		{inventory.CIQuery{}, []string{"renamed"}},
		{inventory.CIQuery{Retired: true}, []string{"renamed", "retired"}},
		{inventory.CIQuery{Page: inventory.Page{AsOf: before}}, []string{"gone", "kept", "retired"}},
		{inventory.CIQuery{Page: inventory.Page{AsOf: before}, Retired: true, Class: "monitor"}, []string{"retired"}},
		{inventory.CIQuery{Page: inventory.Page{AsOf: before.Add(-time.Second)}}, nil},
		{inventory.CIQuery{Filter: []inventory.Condition{{Attribute: "last_seen", Operator: ">=", Value: "2026-03-01"}}}, []string{"renamed"}},
		{inventory.CIQuery{Filter: []inventory.Condition{{Attribute: "first_seen", Operator: ">", Value: "2026-03-01"}}}, nil},
		{inventory.CIQuery{Search: "NAME"}, []string{"renamed"}},
	} {
		if diff := gocmp.Diff(c.want, listCIs(t, w.s, c.query)); diff != "" {
			t.Errorf("%+v (-want +got):\n%s", c.query, diff)
		}
	}
	for _, c := range []struct {
		id, name string
		asOf     time.Time
	}{
		{disposed.defaultCI.id, "renamed", time.Time{}},
		{disposed.defaultCI.id, "gone", before},
		{kept.ci.id, "kept", before},
		{retired.ci.id, "retired", time.Time{}},
	} {
		details, err := w.s.CI(t.Context(), c.id, c.asOf)
		if err != nil || details.Name != c.name {
			t.Errorf("%s as of %v is %q, %v; want %q", c.id, c.asOf, details.Name, err, c.name)
		}
		if (details.RetiredAt != nil) != (c.name == "retired") {
			t.Errorf("%s was retired at %v", c.name, details.RetiredAt)
		}
	}
	w.now = w.now.Add(time.Hour)
	w.assign(retired, kept.ci, true) // what was retired turns out to be what is there
	if details, err := w.s.CI(t.Context(), retired.defaultCI.id, time.Time{}); err != nil || details.ID != kept.ci.id {
		t.Errorf("what was retired and merged is %q, %v; want %s", details.ID, err, kept.ci.id)
	}
	_, err := w.s.CI(t.Context(), kept.ci.id, before.Add(-time.Second))
	wantCode(t, err, inventory.CodeNotFound)
	device, _, err := w.s.Device(t.Context(), disposed.defaultCI.id, time.Time{})
	if err != nil || device.ID != kept.ci.id {
		t.Errorf("the merged device is %q, %v; want %s", device.ID, err, kept.ci.id)
	}
	lone := w.newRecord("computer", "lone")
	w.now = w.now.Add(time.Hour)
	w.retire(lone.ci)
	_, _, err = w.s.Device(t.Context(), lone.ci.id, time.Time{})
	wantCode(t, err, inventory.CodeNotFound)
}

// TestCIDetails: a CI tells where its values come from, who holds them, and who speaks of it.
func TestCIDetails(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	agent := w.newRecord("computer", "pc")
	w.exec(`insert into record_version (record_id, valid_from, class, attributes) values ($1, $2, 'computer', '{"model": "A", "cost": 12345678901234567}')`,
		agent.id, w.now)
	w.exec(`update ci_version set attributes = '{"model": "A", "cost": 12345678901234567}'`)
	first := w.now
	w.now = w.now.Add(time.Hour)
	w.exec(`insert into attribute_lock (id, record_id, attribute, value, reason, actor, locked_at, until, released_at) values
		(gen_random_uuid(), $1, 'owner', '"Ada"', 'hers', 'alice', $2, null, null), (gen_random_uuid(), $1, 'model', '"B"', '', 'bob', $2, $3, $3)`,
		agent.id, w.now, w.now.Add(time.Minute))
	details, err := w.s.CI(t.Context(), agent.ci.id, w.now)
	if err != nil {
		t.Fatal(err)
	}
	only := inventory.Provenance{Record: agent.id, Source: "agent", Rule: "only"}
	values := inventory.Attributes{"model": "A", "cost": json.Number("12345678901234567")}
	until := w.now.Add(time.Minute)
	want := inventory.CIDetails{
		CI:         inventory.CI{ID: agent.ci.id, Class: "computer", Name: "pc", Attributes: values, FirstSeen: first},
		ChangedAt:  first,
		Provenance: map[string]inventory.Provenance{"class": only, "name": only, "model": only, "cost": only},
		Locks: []inventory.Lock{
			{Attribute: "model", Value: "B", Actor: "bob", LockedAt: w.now, Until: &until},
			{Attribute: "owner", Value: "Ada", Reason: "hers", Actor: "alice", LockedAt: w.now},
		},
		Sources: []inventory.SourceRecord{{
			Record: agent.id, Source: "agent", NativeKey: "pc", Class: "computer", Attributes: values, FirstSeen: first, Primary: true,
		}},
		AsOf: &w.now,
	}
	if diff := gocmp.Diff(want, details); diff != "" {
		t.Errorf("details (-want +got):\n%s", diff)
	}
	for asOf, n := range map[time.Time]int{{}: 1, first: 0} { // one lock has run out by now
		if details, err = w.s.CI(t.Context(), agent.ci.id, asOf); err != nil || len(details.Locks) != n {
			t.Errorf("as of %v: %d locks, %v; want %d", asOf, len(details.Locks), err, n)
		}
	}
}
