package cmdb

import (
	"math/rand/v2"
	"strconv"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/musterhq/muster/internal/inventory"
)

func listRelationships(t *testing.T, s *Store, q inventory.RelationshipQuery) []inventory.Relationship {
	t.Helper()
	var list []inventory.Relationship
	for {
		n := 0
		err := s.ListRelationships(t.Context(), q, func(r inventory.Relationship, at inventory.Position) error {
			list, q.After = append(list, r), at
			n++
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		if n == 0 || q.Limit == 0 {
			return list
		}
	}
}

func edgesOf(list []inventory.Relationship) map[worldEdge]bool {
	edges := map[worldEdge]bool{}
	for _, r := range list {
		edges[worldEdge{r.Type, r.From.ID, r.To.ID}] = true
	}
	return edges
}

// TestRelationshipsOfHistory: at every instant there were the relationships that held between the
// CIs of then, each once.
func TestRelationshipsOfHistory(t *testing.T) {
	t.Parallel()
	for seed := range uint64(2) {
		t.Run("seed "+strconv.FormatUint(seed, 10), func(t *testing.T) {
			t.Parallel()
			w, r := newWorld(t), rand.New(rand.NewPCG(seed, 4))
			past := map[time.Time]map[worldEdge]bool{}
			for range 120 {
				w.play(r)
				past[w.now] = w.related()
			}
			for at, want := range past {
				list := listRelationships(t, w.s, inventory.RelationshipQuery{Page: inventory.Page{AsOf: at, Limit: 3}})
				if diff := cmp.Diff(want, edgesOf(list)); diff != "" || len(list) != len(want) {
					t.Errorf("as of %v: %d relationships (-want +got):\n%s", at, len(list), diff)
				}
			}
			for edge := range w.related() {
				list := listRelationships(t, w.s, inventory.RelationshipQuery{CI: edge.To, Type: edge.Type})
				if !edgesOf(list)[edge] {
					t.Errorf("%v is not among those of its end", edge)
				}
				for _, other := range list {
					if other.Type != edge.Type || other.From.ID != edge.To && other.To.ID != edge.To {
						t.Errorf("%+v is none of %s", other, edge.To)
					}
				}
			}
		})
	}
}

// TestPastRelationships: what ended is told of with its end; of two that say the same, the one that
// includes the other.
func TestPastRelationships(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	a, b := w.newRecord("computer", "a"), w.newRecord("monitor", "b")
	hour := func(n int) time.Time { return worldStart.Add(time.Duration(n) * time.Hour) }
	var held []*worldRelationship
	for i, observer := range []*worldRecord{a, nil, a} { // 0–4, 1–3, 5–
		w.now = []time.Time{hour(0), hour(1), hour(5)}[i]
		held = append(held, w.relate("connected_to", b, a, observer))
	}
	w.now = hour(3)
	w.unrelate(held[1])
	w.now = hour(4)
	w.unrelate(held[0])
	from, to := inventory.CIRef{ID: b.ci.id, Class: "monitor", Name: "b"}, inventory.CIRef{ID: a.ci.id, Class: "computer", Name: "a"}
	end := hour(4)
	ended := inventory.Relationship{
		ID: held[0].id, Type: "connected_to", Verb: "is connected to", From: from, To: to, Attributes: inventory.Attributes{},
		Source: "agent", ValidFrom: hour(0), ValidTo: &end,
	}
	current := ended
	current.ID, current.ValidFrom, current.ValidTo = held[2].id, hour(5), nil
	running := ended
	running.ValidTo = nil
	for _, c := range []struct {
		asOf time.Time
		past bool
		want []inventory.Relationship
	}{
		{time.Time{}, true, []inventory.Relationship{ended, current}},
		{time.Time{}, false, []inventory.Relationship{current}},
		{hour(2), true, []inventory.Relationship{running}},
		{hour(4), false, nil},
	} {
		got := listRelationships(t, w.s, inventory.RelationshipQuery{Page: inventory.Page{AsOf: c.asOf}, CI: a.ci.id, Past: c.past})
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("as of %v, past %v (-want +got):\n%s", c.asOf, c.past, diff)
		}
	}
}

func TestCreateRelationship(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	service, server := w.newRecord("business_service", "shop"), w.newRecord("server", "srv")
	merged, retired := w.newRecord("server", "old name"), w.newRecord("server", "gone")
	w.relate("hosted_on", service, server, service)
	w.now = w.now.Add(time.Second)
	w.assign(merged, server.ci, false)
	w.retire(retired.ci)
	actor := inventory.Actor{Name: "alice"}
	for _, c := range []struct {
		new        inventory.NewRelationship
		code, says string
	}{
		{inventory.NewRelationship{Type: "depends_on", From: service.ci.id, To: merged.defaultCI.id, Attributes: map[string]any{"port": 443}}, "", ""},
		{inventory.NewRelationship{Type: "depends_on", From: service.ci.id, To: server.ci.id}, inventory.CodeConflict, "already exists: " + service.ci.id + " depends on " + server.ci.id},
		{inventory.NewRelationship{Type: "hosted_on", From: service.ci.id, To: server.ci.id}, inventory.CodeConflict, "already"},
		{inventory.NewRelationship{Type: "depends_on", From: server.ci.id, To: merged.defaultCI.id}, inventory.CodeInvalid, "with itself"},
		{inventory.NewRelationship{Type: "runs_on", From: server.ci.id, To: service.ci.id}, inventory.CodeInvalid, "is a business_service: this end of runs_on is for a computer"},
		{inventory.NewRelationship{Type: "runs_on", From: service.ci.id, To: server.ci.id}, "", ""}, // a server is a computer
		{inventory.NewRelationship{Type: "likes", From: service.ci.id, To: server.ci.id}, inventory.CodeInvalid, "no relationship type likes"},
		{inventory.NewRelationship{Type: "runs_on", From: service.ci.id, To: "00000000-0000-0000-0000-000000000001"}, inventory.CodeNotFound, "000001"},
		{inventory.NewRelationship{Type: "runs_on", From: service.ci.id, To: retired.ci.id}, inventory.CodeConflict, "is retired"},
	} {
		_, err := w.s.CreateRelationship(t.Context(), c.new, actor)
		wantRefusal(t, c.new.Type, err, c.code, c.says)
	}
	list := listRelationships(t, w.s, inventory.RelationshipQuery{CI: server.ci.id})
	if len(list) != 3 || list[1].Source != "manual" || list[1].From.ID != service.ci.id || list[1].To.ID != server.ci.id || list[1].Attributes["port"] == nil {
		t.Errorf("%+v, want three, the second of them stated", list)
	}
	_, err := w.s.EndRelationship(t.Context(), list[0].ID, actor)
	wantRefusal(t, "end what is observed", err, inventory.CodeConflict, "is observed")
	ended, err := w.s.EndRelationship(t.Context(), list[1].ID, actor)
	if err != nil || ended.ValidTo == nil || !ended.ValidTo.After(ended.ValidFrom) {
		t.Errorf("%+v, %v; want one that ended", ended, err)
	}
	_, err = w.s.EndRelationship(t.Context(), list[1].ID, actor)
	wantRefusal(t, "end again", err, inventory.CodeConflict, "has already ended")
	_, err = w.s.EndRelationship(t.Context(), 999, actor)
	wantRefusal(t, "end nothing", err, inventory.CodeNotFound, "999")
	_, err = w.s.CreateRelationship(t.Context(), inventory.NewRelationship{Type: "depends_on", From: service.ci.id, To: server.ci.id}, actor)
	wantRefusal(t, "begin again", err, "", "")
}

// TestDeclaredAtOnce: of many that state one relationship at the same moment, one does.
func TestDeclaredAtOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	a, b := w.newRecord("computer", "a"), w.newRecord("computer", "b")
	const n = 8
	errs := make(chan error, n)
	for range n {
		go func() {
			_, err := w.s.CreateRelationship(t.Context(), inventory.NewRelationship{Type: "contains", From: a.ci.id, To: b.ci.id}, inventory.Actor{})
			errs <- err
		}()
	}
	declared := 0
	for range n {
		if err := <-errs; err == nil {
			declared++
		} else {
			wantCode(t, err, inventory.CodeConflict)
		}
	}
	if declared != 1 {
		t.Errorf("%d stated it, want 1", declared)
	}
}
