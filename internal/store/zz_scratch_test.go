package store

import (
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/musterhq/muster/internal/inventory"
)

func explain(t *testing.T, s *Store, name, sql string, args pgx.NamedArgs) {
	err := s.read(t.Context(), func(tx pgx.Tx) error {
		rows, err := tx.Query(t.Context(), `explain (analyze, buffers) `+sql, pgx.QueryExecModeCacheDescribe, args)
		if err != nil {
			return err
		}
		fmt.Println("=====", name)
		for rows.Next() {
			var l string
			rows.Scan(&l)
			fmt.Println(l)
		}
		return rows.Err()
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestScratch(t *testing.T) {
	if os.Getenv("SCRATCH") == "" {
		t.Skip()
	}
	s := openEstate(t)
	q := inventory.GraphQuery{CI: "c4ca4238-a0b9-2382-0dcc-509a6f75849b", Depth: 3, MaxNodes: 5000}
	start := time.Now()
	g, err := s.Graph(t.Context(), q)
	fmt.Println(time.Since(start), len(g.Nodes), len(g.Edges), err)
	start = time.Now()
	g, err = s.Graph(t.Context(), q)
	fmt.Println(time.Since(start), len(g.Nodes), len(g.Edges), err)
	var ids []string
	for _, n := range g.Nodes {
		ids = append(ids, n.ID)
	}
	q.Direction = "both"
	args := pgx.NamedArgs{"as_of": endOfTime, "types": nil, "frontier": ids[1:1001], "found": ids[:1001], "limit": 5000, "known": []int64{}, "nodes": ids, "impact": false}
	explain(t, s, "step", graphSteps(q), args)
}
