package cmdb

import (
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/musterhq/muster/internal/inventory"
)

func TestFindCI(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	step := func() time.Time {
		w.now = w.now.Add(time.Hour)
		return w.now.Add(-time.Minute)
	}
	// The CI of b is merged into that of a and split off again; c stays merged; d is merged into an
	// e that is then retired; f is retired, and g is retired before its record is merged into a.
	a, b, c := w.newRecord("computer", "a"), w.newRecord("computer", "b"), w.newRecord("computer", "c")
	d, e := w.newRecord("computer", "d"), w.newRecord("computer", "e")
	f, g := w.newRecord("computer", "f"), w.newRecord("computer", "g")
	ciOf := func(r *worldRecord) string { return r.defaultCI.id }
	created := step()
	for _, r := range []*worldRecord{b, c} {
		w.assign(r, a.ci, false)
	}
	w.assign(d, e.ci, false)
	merged := step()
	w.assign(b, b.defaultCI, true)
	for _, r := range []*worldRecord{e, f, g} {
		w.retire(r.ci)
	}
	retired := step()
	w.assign(g, a.ci, false)
	// A later hardware period of c is a CI that is the default of no record. It is merged into a
	// again.
	period := &worldCI{id: uuid.NewString(), class: "computer", name: "c", attributes: inventory.Attributes{}}
	w.exec(`insert into ci (id, created_at) values ($1, $2)`, period.id, w.now)
	w.cis = append(w.cis, period)
	w.assign(c, period, true)
	split := step()
	w.assign(c, a.ci, false)
	// The default CI of c is also that of a later record, which belongs to the CI of b.
	w.exec(`update source_record set default_ci = $1, created_at = $2 where id = $3`, ciOf(c), w.now, b.id)

	for _, test := range []struct {
		name    string
		id      string
		asOf    time.Time
		want    string
		retired bool
	}{
		{"own", ciOf(b), created, ciOf(b), false},
		{"merged", ciOf(b), merged, ciOf(a), false},
		{"split", ciOf(b), retired, ciOf(b), false},
		{"merged now", ciOf(c), time.Time{}, ciOf(a), false},
		{"merged into a CI", ciOf(d), merged, ciOf(e), false},
		{"merged into a CI that is retired", ciOf(d), retired, ciOf(e), true},
		{"retired", ciOf(f), time.Time{}, ciOf(f), true},
		{"not yet retired", ciOf(f), merged, ciOf(f), false},
		{"retired before it was merged", ciOf(g), retired, ciOf(g), true},
		{"merged after it was retired", ciOf(g), time.Time{}, ciOf(a), false},
		{"hardware period", period.id, split, period.id, false},
		{"hardware period that was merged", period.id, time.Time{}, ciOf(a), false},
		{"first seen later", period.id, retired, "", false},
		{"unknown", uuid.NewString(), time.Time{}, "", false},
	} {
		var got FoundCI
		err := w.s.Read(t.Context(), func(tx pgx.Tx) error {
			var err error
			got, err = FindCI(t.Context(), tx, test.id, inventory.Page{AsOf: test.asOf})
			return err
		})
		if test.want == "" {
			wantCode(t, err, inventory.CodeNotFound)
			continue
		}
		if err != nil || got.ID != test.want || got.Retired != test.retired {
			t.Errorf("%s: %+v, %v; want %s, retired %v", test.name, got, err, test.want, test.retired)
		}
	}
}
