package cmdb

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/musterhq/muster/internal/inventory"
)

func TestBaselines(t *testing.T) {
	t.Parallel()
	s := OpenStore(t)
	early := worldStart.Add(time.Microsecond)
	made, err := s.CreateBaseline(t.Context(), inventory.Baseline{Name: "before", At: early, Class: "computer", CreatedBy: "alice"})
	if err != nil {
		t.Fatal(err)
	}
	now, err := s.CreateBaseline(t.Context(), inventory.Baseline{Name: "now", CreatedBy: "bob"})
	if err != nil {
		t.Fatal(err)
	}
	if !made.At.Equal(early) || made.Class != "computer" || made.CreatedBy != "alice" || now.At.Before(made.CreatedAt) || now.CreatedAt.Before(now.At) {
		t.Errorf("made %+v and %+v", made, now)
	}
	for _, c := range []struct {
		baseline   inventory.Baseline
		code, says string
	}{
		{inventory.Baseline{Name: "before"}, inventory.CodeConflict, `"before" already`},
		{inventory.Baseline{}, inventory.CodeInvalid, "needs a name"},
		{inventory.Baseline{Name: "x", At: now.At.Add(time.Hour)}, inventory.CodeInvalid, "in the future"},
		{inventory.Baseline{Name: "x", Class: "car"}, inventory.CodeInvalid, "no class car"},
	} {
		_, err := s.CreateBaseline(t.Context(), c.baseline)
		wantRefusal(t, c.baseline.Name, err, c.code, c.says)
	}
	got, err := s.Baseline(t.Context(), made.ID)
	if diff := cmp.Diff(made, got); diff != "" || err != nil {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
	list, err := s.Baselines(t.Context())
	if diff := cmp.Diff([]inventory.Baseline{made, now}, list); diff != "" || err != nil {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
	wantRefusal(t, "delete", s.DeleteBaseline(t.Context(), made.ID), "", "")
	wantCode(t, s.DeleteBaseline(t.Context(), made.ID), inventory.CodeNotFound)
	_, err = s.Baseline(t.Context(), made.ID)
	wantCode(t, err, inventory.CodeNotFound)
	_, err = s.DiffSummary(t.Context(), inventory.BaselineDiff{From: now.At, To: early})
	wantCode(t, err, inventory.CodeInvalid)
}
