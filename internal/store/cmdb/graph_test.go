package cmdb

import (
	"maps"
	"math/rand/v2"
	"slices"
	"strconv"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/musterhq/muster/internal/inventory"
)

// suffers is, by relationship type, the end that is affected if the other one fails: "from" or
// none.
var suffers = map[string]string{"contains": "from", "depends_on": "from", "connected_to": ""}

// reach searches the edges in memory: it returns the CIs within q.Depth relationships and the edges
// that lead to them.
func reach(edges map[worldEdge]bool, q inventory.GraphQuery) (depth map[string]int, taken map[worldEdge]bool) {
	depth, taken = map[string]int{q.CI: 0}, map[worldEdge]bool{}
	for step := 1; step <= q.Depth; step++ {
		for id, d := range maps.Clone(depth) {
			if d != step-1 {
				continue
			}
			for edge := range edges {
				if len(q.Types) > 0 && !slices.Contains(q.Types, edge.Type) {
					continue
				}
				out, in := q.Direction != inventory.DirectionIn, q.Direction != inventory.DirectionOut
				if q.Impact {
					out, in = false, suffers[edge.Type] == "from"
				}
				for _, next := range []struct {
					allowed  bool
					from, to string
				}{{out, edge.From, edge.To}, {in, edge.To, edge.From}} {
					if !next.allowed || next.from != id {
						continue
					}
					taken[edge] = true
					if _, seen := depth[next.to]; !seen {
						depth[next.to] = step
					}
				}
			}
		}
	}
	return depth, taken
}

// TestGraph: what is around a CI is what a plain search finds, also in circles and in the past.
func TestGraph(t *testing.T) {
	t.Parallel()
	for seed := range uint64(2) {
		t.Run("seed "+strconv.FormatUint(seed, 10), func(t *testing.T) {
			t.Parallel()
			w, r := newWorld(t), rand.New(rand.NewPCG(seed, 5))
			var past []worldSnapshot
			for range 150 {
				w.play(r)
				past = append(past, w.snapshot())
			}
			for range 80 {
				snapshot := past[len(past)/3+r.IntN(2*len(past)/3)]
				ids := slices.Sorted(maps.Keys(snapshot.cis))
				if len(ids) == 0 {
					continue
				}
				q := inventory.GraphQuery{CI: ids[r.IntN(len(ids))], AsOf: snapshot.at, Depth: 1 + r.IntN(4), Impact: r.IntN(3) == 0}
				q.Direction = []string{"", inventory.DirectionOut, inventory.DirectionIn, inventory.DirectionBoth}[r.IntN(4)]
				q.Types = [][]string{nil, {"contains"}, {"contains", "connected_to"}}[r.IntN(3)]
				checkGraphOf(t, w.s, q, snapshot)
			}
		})
	}
}

func checkGraphOf(t *testing.T, s *Store, q inventory.GraphQuery, snapshot worldSnapshot) {
	t.Helper()
	graph, err := s.Graph(t.Context(), q)
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]int{}
	for _, node := range graph.Nodes {
		got[node.ID] = node.Depth
		if node.Class != snapshot.cis[node.ID]["class"] || node.Name != snapshot.cis[node.ID]["name"] {
			t.Errorf("node %+v, want %v", node, snapshot.cis[node.ID])
		}
	}
	nodes, edges := reach(snapshot.related, q)
	if diff := cmp.Diff(nodes, got); diff != "" || graph.Truncated {
		t.Fatalf("%+v, truncated %v (-want +got):\n%s", q, graph.Truncated, diff)
	}
	if diff := cmp.Diff(edges, edgesOf(graph.Edges)); diff != "" || len(graph.Edges) != len(edges) {
		t.Errorf("%+v: %d edges (-want +got):\n%s", q, len(graph.Edges), diff)
	}
}

// TestGraphIsBounded: a graph above the limit has the nearest CIs, is marked as truncated, and is
// connected.
func TestGraphIsBounded(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	center := w.newRecord("network", "center")
	for i := range 10 {
		leaf := w.newRecord("computer", strconv.Itoa(i))
		w.relate("connected_to", leaf, center, leaf)
	}
	for limit, truncated := range map[int]bool{5: true, 10: true, 11: false, 0: false} {
		graph, err := w.s.Graph(t.Context(), inventory.GraphQuery{CI: center.ci.id, Depth: 3, MaxNodes: limit})
		if err != nil {
			t.Fatal(err)
		}
		want := limit
		if !truncated {
			want = 11
		}
		if len(graph.Nodes) != want || graph.Truncated != truncated || len(graph.Edges) != want-1 {
			t.Errorf("at most %d: %d nodes, %d edges, truncated %v", limit, len(graph.Nodes), len(graph.Edges), graph.Truncated)
		}
	}
	for says, q := range map[string]inventory.GraphQuery{
		"at least 1":                     {CI: center.ci.id},
		`direction "up"`:                 {CI: center.ci.id, Depth: 1, Direction: "up"},
		"the database rejected the data": {CI: "x", Depth: 1},
	} {
		_, err := w.s.Graph(t.Context(), q)
		wantRefusal(t, says, err, inventory.CodeInvalid, says)
	}
}

// BenchmarkGraph looks around a CI with 1,000 neighbors, each with neighbors of its own, in an
// inventory of 20,000 CIs.
func BenchmarkGraph(b *testing.B) {
	s := openFeedStore(b)
	for b.Loop() {
		graph, err := s.Graph(b.Context(), inventory.GraphQuery{CI: "c4ca4238-a0b9-2382-0dcc-509a6f75849b", Depth: 3, MaxNodes: 5000})
		if err != nil {
			b.Fatal(err)
		}
		if len(graph.Nodes) < 1000 {
			b.Fatalf("%d nodes", len(graph.Nodes))
		}
	}
}

// largeFeed is an inventory of 20,000 CIs, half of them devices with a monitor each. CI md5('1')
// has 1,000 neighbors.
var largeFeed = []string{
	`insert into section (name) values ('software')`,
	`insert into ci select md5(i::text)::uuid, '2026-03-01'::timestamptz + i * interval '1 second' from generate_series(1, 20000) i`,
	`insert into ci_version (ci_id, valid_from, valid_to, device, class, name, attributes)
		select md5(i::text)::uuid, v.valid_from, v.valid_to, i <= 10000, case when i <= 10000 then 'laptop' else 'monitor' end, 'ci-' || md5('n' || i),
			jsonb_build_object('manufacturer', 'LENOVO', 'model', 'Model ' || i % 100, 'serial_number', md5('s' || i), 'cost', i % 977, 'v', v.valid_to)
		from generate_series(1, 20000) i, lateral (values
			('2026-03-01'::timestamptz + i * interval '1 second', '2026-03-10'::timestamptz + i * interval '1 second'),
			('2026-03-10'::timestamptz + i * interval '1 second', 'infinity')) v (valid_from, valid_to)`,
	`insert into source_record (source, native_key, default_ci, created_at, seen_at)
		select case when i <= 10000 then 'agent' else 'discovery' end, int4send(i::integer), md5(i::text)::uuid, '2026-03-01', '2026-03-20'
		from generate_series(1, 20000) i order by i`,
	`insert into assignment (record_id, valid_from, ci_id, is_primary)
		select id, '2026-03-01'::timestamptz + id * interval '1 second', default_ci, true from source_record`,
	`insert into relationship (type, from_record, to_record, observer, valid_from)
		select 'connected_to', i + 10000, i, i, '2026-03-02' from generate_series(1, 10000) i`,
	`insert into relationship (type, from_record, to_record, observer, valid_from)
		select 'depends_on', i, 1, i, '2026-03-02' from generate_series(2, 1000) i`,
	`insert into relationship (type, from_record, to_record, observer, valid_from, valid_to)
		select 'depends_on', i, 1 + i % 50, i, '2026-03-02', '2026-03-03' from generate_series(1000, 10000) i`,
	`insert into item (section_id, key_hash, digest, facts)
		select 1, i, md5('i' || i)::uuid, json_build_object('name', 'title-' || i) from generate_series(1, 3000) i`,
	`insert into section_states (record_id, section_ids, roots, supersets, statuses, messages, status_since, durations_ms, items, first_at, changed_at)
		select id, '{1}', '{null}', '{false}', '{ok}', array[''], '{2026-03-02}', '{1}', '{20}', '{2026-03-02}', '{2026-03-02}' from source_record where id <= 10000`,
	`insert into item_event
		select 1 + i % 10000, 1, '2026-03-02'::timestamptz + i * interval '20 seconds', array[1 + i % 3000], array[1 + (i + 1) % 3000]
		from generate_series(1, 100000) i`,
	`vacuum analyze`,
}

func openFeedStore(t testing.TB) *Store {
	t.Helper()
	s := OpenStore(t)
	if err := ensurePartition(t, s, worldStart); err != nil {
		t.Fatal(err)
	}
	for _, statement := range largeFeed {
		if _, err := s.Pool.Exec(t.Context(), statement); err != nil {
			t.Fatalf("%v in %s", err, statement)
		}
	}
	return s
}
