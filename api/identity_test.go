package api

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"

	"github.com/musterhq/muster/internal/inventory"
	inventoryv1 "github.com/musterhq/muster/proto/muster/inventory/v1"
)

func (e *fixture) identity(t testing.TB, path, query string) (identity inventory.Identity) {
	t.Helper()
	e.get(t, path+"/identity"+query).decode(t, &identity)
	return identity
}

func recordIDs(identity inventory.Identity) []int64 {
	var list []int64
	for _, r := range identity.Records {
		list = append(list, r.Record)
	}
	slices.Sort(list)
	return list
}

// TestMergeAndSplit does the same under both nouns.
func TestMergeAndSplit(t *testing.T) {
	t.Parallel()
	for _, noun := range []string{"devices", "cis"} {
		t.Run(noun, func(t *testing.T) {
			t.Parallel()
			e := newFixture(t)
			one, two := e.newMachine(t), e.newMachine(t)
			one.report(t, computer("one"))
			two.report(t, computer("two"))
			first, second := "/api/v1/"+noun+"/"+one.device, "/api/v1/"+noun+"/"+two.device
			separate := e.identity(t, second, "")
			if separate.CI != two.device || len(separate.Records) != 1 || len(separate.Records[0].Identifiers) == 0 || separate.Text == "" {
				t.Fatalf("before: %+v", separate)
			}
			then := e.now(t)

			merged := send[inventory.Identity](t, e, "POST", first+"/merge",
				`{"with": ["`+strings.ToUpper(two.device)+`"], "reason": "the same"}`, 200)
			if len(merged.Records) != 2 || len(merged.Constraints) == 0 || merged.Constraints[0].Actor != "test" ||
				merged.Constraints[0].Reason != "the same" {
				t.Fatalf("merged: %+v", merged)
			}
			if got := e.identity(t, second, ""); got.CI != merged.CI {
				t.Errorf("the other's id leads to %s, want %s", got.CI, merged.CI)
			}
			if got := e.identity(t, second, "?"+asOf(then)); got.CI != two.device || got.AsOf == nil {
				t.Errorf("as of before the merge: %+v", got)
			}
			if got := items[inventory.Device](t, e, "/api/v1/devices"); len(got) != 1 {
				t.Errorf("devices after the merge: %+v", got)
			}

			records := separate.Records[0].Record
			split := send[inventory.Identity](t, e, "POST", "/api/v1/"+noun+"/"+merged.CI+"/split",
				fmt.Sprintf(`{"records": [%d], "reason": "two after all"}`, records), 200)
			if len(split.Records) != 1 || slices.Contains(recordIDs(split), records) {
				t.Errorf("split: %+v", split)
			}
			if got := names(items[inventory.Device](t, e, "/api/v1/devices")); got != "one two" {
				t.Errorf("devices after the split: %s", got)
			}
		})
	}
}

func TestUndoMerge(t *testing.T) {
	t.Parallel()
	e := newFixture(t)
	one, two := e.newMachine(t), e.newMachine(t)
	one.report(t, computer("one"))
	two.report(t, computer("two"))
	merged := send[inventory.Identity](t, e, "POST", "/api/v1/cis/"+one.device+"/merge", `{"with": ["`+two.device+`"], "reason": "the same"}`, 200)
	i := slices.IndexFunc(merged.Decisions, func(d inventory.Decision) bool { return d.Action == "merged" })
	if i < 0 {
		t.Fatalf("no decision says merged: %+v", merged.Decisions)
	}
	undo := fmt.Sprintf("/api/v1/identity/decisions/%d/undo", merged.Decisions[i].ID)
	send[struct{}](t, e, "POST", undo, `{"reason": "a slip"}`, 204)
	if got := names(items[inventory.Device](t, e, "/api/v1/devices")); got != "one two" {
		t.Errorf("devices after it is undone: %s", got)
	}
	refusals{
		{"POST", undo, `{"reason": "again"}`, 409, ""},
		{"POST", undo, `{"reason": ""}`, 400, "/body/reason"},
		{"POST", "/api/v1/identity/decisions/999999/undo", `{"reason": "x"}`, 404, ""},
	}.check(t, e)
}

func TestIdentityRefusals(t *testing.T) {
	t.Parallel()
	e := newFixture(t)
	m := e.newMachine(t)
	m.report(t, computer("one"))
	path, unknown := "/api/v1/cis/"+m.device, "0193ab00-0000-7000-8000-000000000000"
	record := e.identity(t, path, "").Records[0].Record
	refusals{
		{"POST", path + "/merge", `{"with": ["` + unknown + `"], "reason": "x"}`, 404, ""},
		{"POST", path + "/merge", `{"with": ["` + m.device + `"], "reason": "x"}`, 409, ""},
		{"POST", path + "/merge", `{"with": [], "reason": "x"}`, 400, "/body/with"},
		{"POST", path + "/merge", `{"with": ["one"], "reason": "x"}`, 400, "/body/with"},
		{"POST", path + "/merge", `{"with": null, "reason": "x"}`, 400, "/body/with"},
		{"POST", path + "/merge", `{"with": ["` + unknown + `"]}`, 400, "reason"},
		{"POST", path + "/split", fmt.Sprintf(`{"records": [%d], "reason": "x"}`, record), 400, ""},
		{"POST", path + "/split", `{"records": [999999], "reason": "x"}`, 400, "999999"},
		{"POST", path + "/split", `{"records": ["a"], "reason": "x"}`, 400, "/body/records/0"},
		{"POST", path + "/split", `{"records": [1], "reason": "a\u0000"}`, 400, "/body/reason"},
		{"GET", "/api/v1/devices/" + unknown + "/identity", "", 404, ""},
		{"GET", path + "/identity?as_of=2001-01-01T00:00:00Z", "", 404, ""},
		{"POST", "/api/v1/identity/simulate", `[]`, 400, "/body"},
		{"POST", "/api/v1/identity/simulate", `{"colour": "red"}`, 400, "colour"},
		{"GET", "/api/v1/reviews?state=stale", "", 400, "/query/state"},
		{"POST", "/api/v1/reviews/" + unknown + "/accept", `{"reason": "x"}`, 404, ""},
		{"POST", "/api/v1/reviews/" + unknown + "/keep-separate", `{"reason": "x"}`, 404, ""},
		{"POST", "/api/v1/reviews/1/accept", `{"reason": "x"}`, 400, "/path/id"},
	}.check(t, e)
}

// TestSimulate: the rules in force change nothing; other rules return what they would change.
func TestSimulate(t *testing.T) {
	t.Parallel()
	e := newFixture(t)
	for _, name := range []string{"one", "two"} {
		m := e.newMachine(t)
		m.report(t, sharedDisk(name))
	}
	path := "/api/v1/identity/simulate"
	inForce := e.get(t, "/api/v1/identity/rules").body
	if got := send[inventory.Simulation](t, e, "POST", path, string(inForce), 200); len(got.Merges)+len(got.Splits) != 0 {
		t.Errorf("by the rules in force: %+v", got)
	}
	same := send[inventory.Simulation](t, e, "POST", path, `{"version": "1"}`, 200)
	if same.Records == 0 || len(same.Merges)+len(same.Splits) != 0 {
		t.Errorf("the same rules: %+v", same)
	}
	other := send[inventory.Simulation](t, e, "POST", path, `{"version": "2", "thresholds": {"link": 12}}`, 200)
	if other.RulesVersion != "2" || len(other.Merges) != 1 || len(other.Merges[0].CIs) != 2 {
		t.Errorf("rules that link by less: %+v", other)
	}
	if got := names(items[inventory.Device](t, e, "/api/v1/devices")); got != "one two" {
		t.Errorf("devices after the simulation: %s", got)
	}
}

// sharedDisk is the report of one of two machines that have only a disk as an identifier.
func sharedDisk(name string) map[string]part {
	return map[string]part{
		"os": {inventory.StatusOK, []proto.Message{&inventoryv1.OperatingSystem{Name: "Debian GNU/Linux", Hostname: name}}},
		"storage": {inventory.StatusOK, []proto.Message{
			&inventoryv1.Storage{Device: "sda", Vendor: "Samsung", Model: "870 EVO", SerialNumber: "S5Y1NJ0R", Bus: "sata"},
		}},
	}
}

func TestReviews(t *testing.T) {
	t.Parallel()
	for verb, want := range map[string]struct{ verdict, devices string }{
		"accept": {"accepted", "two"}, "keep-separate": {"kept_separate", "one two"},
	} {
		t.Run(verb, func(t *testing.T) {
			t.Parallel()
			e := newFixture(t)
			for _, name := range []string{"one", "two"} {
				e.newMachine(t).report(t, sharedDisk(name))
			}
			open := items[inventory.Review](t, e, "/api/v1/reviews")
			if len(open) != 1 || open[0].CIA.Name+open[0].CIB.Name != "onetwo" || open[0].Text == "" {
				t.Fatalf("open reviews: %+v", open)
			}
			waiting := e.now(t)
			path := "/api/v1/reviews/" + open[0].ID + "/" + verb
			decided := send[inventory.Review](t, e, "POST", path, `{"reason": "looked at both"}`, 200)
			if decided.Verdict != want.verdict || decided.Actor != "test" || decided.Note != "looked at both" || decided.ClosedAt == nil {
				t.Errorf("decided: %+v", decided)
			}
			if got := len(items[inventory.Device](t, e, "/api/v1/devices")); got != len(strings.Fields(want.devices)) {
				t.Errorf("%d devices, want %s", got, want.devices)
			}
			for query, n := range map[string]int{"": 0, "?state=open": 0, "?state=closed": 1, "?state=all": 1} {
				if got := items[inventory.Review](t, e, "/api/v1/reviews"+query); len(got) != n {
					t.Errorf("%s: %+v, want %d", query, got, n)
				}
			}
			refusals{{"POST", path, `{"reason": "again"}`, 409, want.verdict}}.check(t, e)
			if diff := cmp.Diff(open, items[inventory.Review](t, e, "/api/v1/reviews?"+asOf(waiting))); diff != "" {
				t.Errorf("while it waited (-want +got):\n%s", diff)
			}
			if got := items[inventory.Review](t, e, "/api/v1/reviews?state=closed&"+asOf(waiting)); len(got) != 0 {
				t.Errorf("closed before it was: %+v", got)
			}
		})
	}
}
