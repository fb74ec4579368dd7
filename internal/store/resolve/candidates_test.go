package resolve

import (
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/musterhq/muster/internal/identify"
	"github.com/musterhq/muster/internal/pgtest"
	"github.com/musterhq/muster/internal/store/db"
)

func TestMain(m *testing.M) { pgtest.Main(m, db.Migrate) }

// chains makes chains of records, each of which shares an identifier with the next one.
const chains = `
	with made as (
		insert into source_record (source, native_key, default_ci)
		select 'csv', int4send((chain * 10000 + link)::integer), gen_random_uuid()
		from generate_series(1, $1::integer) chain, generate_series(1, $2::integer) link
		order by link, chain
		returning id, native_key
	), reported as (
		insert into evidence (record_id, identifiers, first_seen, last_seen)
		select id, array['mac:' || n, 'mac:' || n + 1], array[now(), now()], array[null, null]::timestamptz[]
		from made, lateral (select get_byte(native_key, 1) * 65536 + get_byte(native_key, 2) * 256 + get_byte(native_key, 3) as n) k
		returning record_id, identifiers
	)
	select claim_identifiers(array_agg('computer'::text), array_agg(i.identifier), array_agg(e.record_id))
	from reported e cross join lateral unnest(e.identifiers) i (identifier)`

// TestCandidateSetsAreWhole: candidate sets are complete however many records are resolved
// together, and a set that exceeds its bound is reported as cut short.
func TestCandidateSetsAreWhole(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		chains, links, most int
		cut                 bool
	}{
		"many small ones":  {300, 5, 1500, false},
		"a large one":      {1, 500, 500, false},
		"one without end":  {1, identify.MaxCandidates + 300, identify.MaxCandidates + 1, true},
		"a few beside one": {2, identify.MaxCandidates + 300, 2*identify.MaxCandidates + 2, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := openDB(t)
			if _, err := s.Pool.Exec(t.Context(), chains, c.chains, c.links); err != nil {
				t.Fatal(err)
			}
			err := s.Read(t.Context(), func(tx pgx.Tx) error {
				r := &resolution{tx: tx, rules: defaultRules(), parents: map[string]string{"computer": "ci"}}
				var first []int64
				if err := tx.QueryRow(t.Context(), `select array_agg(id) from (select id from source_record order by id limit $1) f`, c.chains).Scan(&first); err != nil {
					return err
				}
				n, err := r.findCandidates(t.Context(), first)
				if err != nil {
					return err
				}
				sets := n.CandidateSets()
				if len(n.Evidence) != c.most || len(sets) != c.chains ||
					(len(identify.CutShort(sets, n.cut)) == c.chains) != c.cut {
					t.Errorf(
						"%d records in %d sets, of which %d are cut short; want %d in %d",
						len(n.Evidence),
						len(sets),
						len(identify.CutShort(sets, n.cut)),
						c.most,
						c.chains,
					)
				}
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
		})
	}
}

func openDB(t *testing.T) *db.DB {
	t.Helper()
	d, err := db.Open(t.Context(), pgtest.New(t), db.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(d.Close)
	return d
}
