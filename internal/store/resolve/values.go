package resolve

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/musterhq/muster/internal/inventory"
	"github.com/musterhq/muster/internal/reconcile"
	"github.com/musterhq/muster/internal/store/db"
)

// reconcile is the last step. Its input is the CIs that the change set touches, directly or by
// their records; its output is a new version of each CI whose effective values differ, and the
// findings about sources that disagree.
func (r *resolution) reconcile(ctx context.Context) error {
	if err := r.touchValuesChanged(ctx); err != nil {
		return err
	}
	if err := r.touchComponents(ctx); err != nil {
		return err
	}
	if len(r.touched) == 0 {
		return nil
	}
	cis := r.touched.take()
	candidates, err := r.candidateValues(ctx, cis)
	if err != nil {
		return err
	}
	locks, err := r.locks(ctx, cis)
	if err != nil {
		return err
	}
	held, err := r.heldVersions(ctx, cis)
	if err != nil {
		return err
	}
	absent, err := r.absent(ctx, cis)
	if err != nil {
		return err
	}
	var rows ciVersionRows
	for _, ci := range cis {
		if absent[ci] {
			rows.retired = append(rows.retired, ci)
			continue
		}
		if err := r.reconcileOne(&rows, ci, candidates[ci], locks[ci], held[ci]); err != nil {
			return err
		}
	}
	batch := &pgx.Batch{}
	rows.queue(batch, r.at)
	if err := r.send(ctx, "write versions", batch); err != nil || len(r.compared) == 0 {
		return err
	}
	return r.syncFindings(ctx, r.compared.sorted(), r.conflicts, true)
}

// touchValuesChanged touches the CIs of the records that report other values than before.
func (r *resolution) touchValuesChanged(ctx context.Context) error {
	if len(r.valuesChanged) == 0 {
		return nil
	}
	cis, err := db.Column[string](ctx, r.tx, "find cis of changed values", `
		select ci_id::text from assignment where record_id = any($1) and valid_to = 'infinity'`,
		r.valuesChanged.take())
	r.touched.add(cis...)
	return err
}

type candidateRow struct {
	CI         string
	Record     int64
	Source     string
	Class      string
	Attributes []byte
	Since      time.Time
	SeenAt     time.Time
	Former     bool
}

// candidateValues returns the values that the records of CIs report. A record whose installation
// moved still counts for the CI that it left, with the values of that time.
func (r *resolution) candidateValues(
	ctx context.Context, cis []string,
) (map[string][]inventory.CandidateValues, error) {
	list, err := db.Collect[candidateRow](ctx, r.tx, "read candidates", `
		select m.ci_id::text as ci, r.id as record, r.source, v.class, v.attributes, v.valid_from as since,
			greatest(coalesce(r.document_at, r.created_at), r.seen_at, p.seen_at) as seen_at, false as former
		from assignment m
		join source_record r on r.id = m.record_id
		join record_version v on v.record_id = r.id and v.valid_to = 'infinity'
		left join presence p on p.record_id = r.id
		where m.ci_id = any($1::uuid[]) and m.valid_to = 'infinity'
		union all
		select l.ci::text, r.id, r.source, v.class, v.attributes, v.valid_from, was.until, true
		from unnest($1::uuid[]) l (ci)
		join assignment m on m.previous_cis @> array[l.ci] and m.previous_cis <> '{}' and m.valid_to = 'infinity'
		join source_record r on r.id = m.record_id
		cross join lateral (
			select max(b.valid_to) as until from assignment b where b.record_id = r.id and b.ci_id = l.ci
		) was
		join record_version v on v.record_id = r.id and v.valid_from < was.until and v.valid_to >= was.until`, cis)
	if err != nil {
		return nil, err
	}
	candidates := map[string][]inventory.CandidateValues{}
	for _, row := range list {
		attributes, err := db.DecodeAttributes(row.Attributes)
		if err != nil {
			return nil, err
		}
		if r.updated[row.Record] {
			row.SeenAt = r.at
		}
		candidates[row.CI] = append(candidates[row.CI], inventory.CandidateValues{
			Record: row.Record, Source: row.Source, Class: row.Class, Attributes: attributes,
			Since: row.Since, SeenAt: row.SeenAt, Former: row.Former,
		})
	}
	return candidates, nil
}

// locks returns the locks of CIs. They belong to the records of what people declare, and move with
// these.
func (r *resolution) locks(ctx context.Context, cis []string) (map[string][]inventory.Lock, error) {
	type lockRow struct {
		CI, Attribute string
		Value         []byte
		Reason, Actor string
		LockedAt      time.Time
		Until         *time.Time
	}
	rows, err := db.Collect[lockRow](ctx, r.tx, "read locks", `
		select m.ci_id::text as ci, l.attribute, l.value, l.reason, l.actor, l.locked_at, l.until
		from attribute_lock l join assignment m on m.record_id = l.record_id and m.valid_to = 'infinity'
		where m.ci_id = any($1::uuid[]) and l.released_at is null`, cis)
	if err != nil {
		return nil, err
	}
	locks := map[string][]inventory.Lock{}
	for _, row := range rows {
		value, err := db.DecodeJSON(row.Value)
		if err != nil {
			return nil, fmt.Errorf("read value of lock: %w", err)
		}
		locks[row.CI] = append(locks[row.CI], inventory.Lock{
			Attribute: row.Attribute, Value: value, Reason: row.Reason, Actor: row.Actor,
			LockedAt: row.LockedAt, Until: row.Until,
		})
	}
	return locks, nil
}

// heldVersion is the current version of a CI.
type heldVersion struct {
	CI         string
	Current    bool // there is one
	Retired    bool
	Disposed   bool
	Class      string
	Name       string
	Attributes []byte
	Provenance []byte
}

func (r *resolution) heldVersions(ctx context.Context, cis []string) (map[string]heldVersion, error) {
	list, err := db.Collect[heldVersion](ctx, r.tx, "read versions", `
		select c.id::text as ci, v.ci_id is not null as current, c.retired_at is not null as retired, c.disposed,
			coalesce(v.class, '') as class, coalesce(v.name, '') as name, v.attributes, v.provenance
		from ci c left join ci_version v on v.ci_id = c.id and v.valid_to = 'infinity'
		where c.id = any($1::uuid[])`, cis)
	if err != nil {
		return nil, err
	}
	held := make(map[string]heldVersion, len(list))
	for _, v := range list {
		held[v.CI] = v
	}
	return held, nil
}

func (r *resolution) reconcileOne(
	rows *ciVersionRows, ci string, candidates []inventory.CandidateValues, locks []inventory.Lock, held heldVersion,
) error {
	if held.Current && len(candidates) == 0 {
		rows.ended = append(rows.ended, ci) // its records belong to another CI now
		return nil
	}
	if len(candidates) == 0 || held.Retired {
		return nil
	}
	is := r.rules.reconcile(candidates, locks, r.at, r.parents)
	if is.Class == "" {
		is.Class = inventory.RootClass
	}
	if is.Attributes == nil {
		is.Attributes = inventory.Attributes{}
	}
	if disposed := reconcile.IsDisposed(is.Attributes); disposed != held.Disposed {
		r.noteDisposed(rows, ci, disposed, candidates)
	}
	if len(candidates) > 1 || held.Provenance != nil {
		r.compare(candidates, is.Conflicts)
	}
	attributes, err := json.Marshal(is.Attributes)
	if err != nil {
		return fmt.Errorf("encode attributes: %w", err)
	}
	var provenance []byte
	if len(candidates) > 1 || len(locks) > 0 {
		if provenance, err = json.Marshal(is.Provenance); err != nil {
			return fmt.Errorf("encode provenance: %w", err)
		}
	}
	if held.Current && held.Class == is.Class && held.Name == is.Name && db.SameJSON(held.Attributes, attributes) &&
		(held.Provenance == nil) == (provenance == nil) &&
		(provenance == nil || db.SameJSON(held.Provenance, provenance)) {
		return nil
	}
	if held.Current {
		rows.ended = append(rows.ended, ci)
	}
	device := r.baseClassOf(is.Class) == inventory.ClassComputer
	rows.add(ci, device, is.Class, is.Name, string(attributes), db.Text(provenance))
	return nil
}

// noteDisposed notes that a CI is disposed of, by its life-cycle state, or no longer is. The
// assignment of its observers becomes liveness-dependent: each of their check-ins is resolved, so
// that a finding is opened.
func (r *resolution) noteDisposed(
	rows *ciVersionRows, ci string, disposed bool, candidates []inventory.CandidateValues,
) {
	rows.disposal, rows.disposed = append(rows.disposal, ci), append(rows.disposed, disposed)
	for _, c := range candidates {
		if disposed && r.rules.precedence.Observes(c.Source) {
			rows.observers = append(rows.observers, c.Record)
		}
	}
}

// compare notes on which values the records of a CI disagree.
func (r *resolution) compare(candidates []inventory.CandidateValues, conflicts []string) {
	records := make([]int64, len(candidates))
	for i, c := range candidates {
		records[i] = c.Record
		r.compared.add(c.Record)
	}
	for _, attribute := range conflicts {
		r.conflicts = append(r.conflicts, inventory.Finding{
			Type: inventory.FindingAttributeConflict, Records: records, Identifier: inventory.Identifier(attribute),
			Text: "sources disagree on " + attribute,
		})
	}
}
