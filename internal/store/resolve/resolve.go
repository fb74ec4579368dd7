package resolve

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/musterhq/muster/internal/inventory"
)

// Resolve takes in what records say of their things, finds out which CIs they are, and keeps what is true of these. It
// gives the place of each record. Nothing is written of what says the same as before.
func (s *Store) Resolve(ctx context.Context, observations []inventory.Observation) (map[int64]inventory.RecordAssignment, error) {
	var assignments map[int64]inventory.RecordAssignment
	err := s.resolve(ctx, inventory.Actor{}, func(ctx context.Context, r *resolution) error {
		for _, t := range observations {
			r.updated[t.Record] = true
		}
		if err := r.applyObservations(ctx, observations); err != nil {
			return err
		}
		if err := r.assign(ctx); err != nil {
			return err
		}
		if err := r.resolveComponents(ctx, observations); err != nil {
			return err
		}
		var err error
		assignments, err = r.assignments(ctx, slices.Collect(maps.Keys(r.updated)))
		return err
	})
	return assignments, err
}

// resolution is one change of what is known of CIs. Resolutions follow one another, whichever collector they come from,
// so that CIs are what they would be had all reports come one by one; the time of each is later than that of the one before.
type resolution struct {
	tx    pgx.Tx
	rules *ruleSet
	at    time.Time
	actor inventory.Actor

	parents map[string]string // class → the one above it

	updated              map[int64]bool  // records that speak now
	moved                map[int64]bool  // records whose place is to be looked at
	valuesChanged        map[int64]bool  // records that say other values than before
	identifiersChanged   map[int64]bool  // records that say other identifiers than before
	touched              map[string]bool // CIs whose values are to be looked at
	relationshipsChanged map[int64]bool  // records that tell of other relationships than before
	noLongerObserved     map[int64]bool  // parts that somebody sees no more
	primaryChanged       map[int64]bool  // records whose sight of parts counts since now, or no more
	rejected             map[int64][]inventory.Rejection
	compared             map[int64]bool // records whose values were compared with others'
	conflicts            []inventory.Finding

	references map[reference][]namedCI
}

// resolve runs f and then settles what it changed, in one transaction.
func (s *Store) resolve(ctx context.Context, actor inventory.Actor, f func(context.Context, *resolution) error) error {
	return s.InTx(ctx, func(tx pgx.Tx) error {
		r := &resolution{
			tx: tx, rules: s.rules, actor: actor,
			updated: map[int64]bool{}, moved: map[int64]bool{}, valuesChanged: map[int64]bool{}, identifiersChanged: map[int64]bool{}, touched: map[string]bool{},
			rejected: map[int64][]inventory.Rejection{}, compared: map[int64]bool{},
			references: map[reference][]namedCI{}, relationshipsChanged: map[int64]bool{}, noLongerObserved: map[int64]bool{}, primaryChanged: map[int64]bool{},
		}
		if err := r.begin(ctx); err != nil {
			return err
		}
		if err := f(ctx, r); err != nil {
			return err
		}
		if err := r.assignAndReconcile(ctx); err != nil {
			return err
		}
		return r.recordAudit(ctx)
	})
}

// recordAudit keeps who did all that happened, where it was a person.
func (r *resolution) recordAudit(ctx context.Context) error {
	if r.actor.Name == "" {
		return nil
	}
	_, err := r.tx.Exec(ctx, `insert into audit_entry (at, actor, reason) values ($1, $2, $3)`, r.at, r.actor.Name, r.actor.Reason)
	if err != nil {
		return fmt.Errorf("sign resolution: %w", err)
	}
	return nil
}

// begin waits for its turn. Statements are planned once, for indexes: planning each anew would cost more than running it,
// and a plan that was made when the tables were empty would read them from end to end when they are large. The time is
// taken when others can see that something is under way, so that who asks for an instant waits for all that happened
// until then: see Settle.
func (r *resolution) begin(ctx context.Context) error {
	if _, err := r.tx.Exec(ctx, `select pg_current_xact_id()`); err != nil {
		return fmt.Errorf("begin resolution: %w", err)
	}
	err := r.tx.QueryRow(ctx, `
		update identity_clock set at = greatest(date_trunc('microseconds', clock_timestamp()), at + interval '1 microsecond')
		returning at, set_config('plan_cache_mode', 'force_generic_plan', true), set_config('enable_seqscan', 'off', true)`).
		Scan(&r.at, nil, nil)
	if err != nil {
		return fmt.Errorf("take turn: %w", err)
	}
	rows, err := r.tx.Query(ctx, `select name, coalesce(parent, '') from ci_class`)
	if err != nil {
		return fmt.Errorf("read classes: %w", err)
	}
	r.parents = map[string]string{}
	var name, parent string
	_, err = pgx.ForEachRow(rows, []any{&name, &parent}, func() error {
		r.parents[name] = parent
		return nil
	})
	if err != nil {
		return fmt.Errorf("read classes: %w", err)
	}
	return nil
}

// assignAndReconcile places the records that may have moved and reconciles the CIs that may have changed.
func (r *resolution) assignAndReconcile(ctx context.Context) error {
	if err := r.assign(ctx); err != nil {
		return err
	}
	return r.reconcile(ctx)
}

// baseClassOf gives the class right below the root that a class belongs to; "" where it is not said.
func (r *resolution) baseClassOf(class string) string {
	for class != "" {
		above := r.parents[class]
		if above == inventory.RootClass {
			return class
		}
		class = above
	}
	return ""
}

// assignments tells where records are.
func (r *resolution) assignments(ctx context.Context, records []int64) (map[int64]inventory.RecordAssignment, error) {
	rows, err := r.tx.Query(ctx, `
		select m.record_id, m.ci_id::text, s.liveness_dependent
		from assignment m join source_record s on s.id = m.record_id
		where m.record_id = any($1) and m.valid_to = 'infinity'`, records)
	if err != nil {
		return nil, fmt.Errorf("read places: %w", err)
	}
	assignments := make(map[int64]inventory.RecordAssignment, len(records))
	var record int64
	var assignment inventory.RecordAssignment
	_, err = pgx.ForEachRow(rows, []any{&record, &assignment.CI, &assignment.LivenessDependent}, func() error {
		assignments[record] = assignment
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read places: %w", err)
	}
	return assignments, nil
}

// send runs a batch to its end.
func (r *resolution) send(ctx context.Context, what string, batch *pgx.Batch) error {
	if batch.Len() == 0 {
		return nil
	}
	if err := r.tx.SendBatch(ctx, batch).Close(); err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	return nil
}
