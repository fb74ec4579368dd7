package items

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/musterhq/muster/internal/inventory"
	"github.com/musterhq/muster/internal/pgtest"
	"github.com/musterhq/muster/internal/store/db"
)

func TestMain(m *testing.M) { pgtest.Main(m, db.Migrate) }

func openStore(t *testing.T, url string) *Store {
	t.Helper()
	database, err := db.Open(t.Context(), url, db.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(database.Close)
	s, err := New(database)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.refreshBases(t.Context()); err != nil {
		t.Fatal(err)
	}
	return s
}

// idsFrom returns n ids from first on.
func idsFrom(first, n inventory.ItemID) []inventory.ItemID {
	ids := make([]inventory.ItemID, n)
	for i := range ids {
		ids[i] = first + inventory.ItemID(i) //nolint:gosec // few
	}
	return ids
}

// TestBaseOfAnotherCollector: a base that one collector adds is used by another one, until no row
// has referred to it for a day. A day later it is deleted.
func TestBaseOfAnotherCollector(t *testing.T) {
	t.Parallel()
	url := pgtest.New(t)
	a, b := openStore(t, url), openStore(t, url)
	exec := func(sql string) {
		t.Helper()
		if _, err := a.Pool.Exec(t.Context(), sql); err != nil {
			t.Fatal(err)
		}
	}
	collect := func(want int64) {
		t.Helper()
		if deleted, err := a.CollectBases(t.Context()); err != nil || deleted != want {
			t.Errorf("deleted %d bases: %v, want %d", deleted, err, want)
		}
		b.bases.refreshed = time.Now().Add(-baseRefreshEvery)
		if err := b.refreshBases(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	choose := func(s *Store, record int64, first inventory.ItemID) Difference {
		t.Helper()
		d, err := s.choose(t.Context(), Row{Record: record}, Difference{Plus: idsFrom(first, 500)})
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(idsFrom(first, 500), d.Set()); diff != "" {
			t.Errorf("set (-want +got):\n%s", diff)
		}
		return d
	}
	choose(a, 1, 1)
	base := choose(a, 2, 2).Base
	if base == nil {
		t.Fatal("two similar sets have no base")
	}
	collect(0)
	if got := choose(b, 3, 3).Base; got == nil || got.ID != base.ID {
		t.Errorf("the other collector uses %v", got)
	}

	exec(`update item_base set created_at = now() - interval '25 hours'`)
	exec(`insert into item_set (record_id, section_id, base_id, plus) select 1, 0, id, '{}' from item_base`)
	collect(0)
	if got := choose(b, 4, 3).Base; got == nil {
		t.Error("a base with a row is retired")
	}
	exec(`delete from item_set`)
	collect(0)
	if got := choose(b, 5, 3).Base; got != nil {
		t.Error("a retired base is chosen")
	}
	if bases, err := b.basesByID(t.Context(), []int32{base.ID}); err != nil || len(bases) != 1 {
		t.Errorf("a retired base cannot be read: %v", err)
	}
	exec(`update item_base set retired_at = now() - interval '25 hours'`)
	collect(1)
}
