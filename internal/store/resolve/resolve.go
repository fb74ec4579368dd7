package resolve

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/musterhq/muster/internal/inventory"
	"github.com/musterhq/muster/internal/store/db"
)

// Resolve applies observations, assigns their records to CIs and reconciles these. It returns the
// assignment of each record. It writes nothing for an observation that reports the same as before.
func (s *Store) Resolve(
	ctx context.Context, observations []inventory.Observation,
) (map[int64]inventory.RecordAssignment, error) {
	var assignments map[int64]inventory.RecordAssignment
	err := s.resolve(ctx, inventory.Actor{}, func(ctx context.Context, r *resolution) error {
		if err := r.observe(ctx, observations); err != nil {
			return err
		}
		var err error
		assignments, err = r.assignments(ctx, r.updated.sorted())
		return err
	})
	return assignments, err
}

// observe applies observations, assigns their records to CIs and resolves the components that they
// report.
func (r *resolution) observe(ctx context.Context, observations []inventory.Observation) error {
	for _, o := range observations {
		r.updated.add(o.Record)
	}
	if err := r.applyObservations(ctx, observations); err != nil {
		return err
	}
	if err := r.assign(ctx); err != nil {
		return err
	}
	return r.resolveComponents(ctx, observations)
}

// resolution is a unit of work in one transaction. Its steps are, in this order:
//
//   - applyObservations: evidence and values of the records that are observed
//   - assign: candidates, their partition, and the assignmentChanges that follow from it
//   - resolveComponents: records, assignments and relationships of discovered components
//   - reconcile: the effective values of the CIs that changed
//
// A step hands to the next ones what they have to look at in the changeSet. The exclusive lock
// orders resolutions of all collectors, so that the CIs are the same as if all reports came one by
// one.
type resolution struct {
	tx        pgx.Tx
	rules     *ruleSet
	at        time.Time
	actor     inventory.Actor
	exclusive bool // it holds the lock of identity_clock; otherwise it may only add records that are isolated

	parents map[string]string // class → the one above it

	isolated   map[int64]bool    // new records that nothing connects with another one; see claimRows.isolated
	observedBy map[int64][]int64 // the records that report a component, by the component's record

	changeSet

	references map[reference][]namedCI
}

// resolve runs f, then assigns and reconciles what f changed, in one transaction.
func (s *Store) resolve(ctx context.Context, actor inventory.Actor, f func(context.Context, *resolution) error) error {
	return s.transact(ctx, func(tx pgx.Tx) error {
		r := s.newResolution(tx, true)
		r.actor = actor
		if err := r.begin(ctx); err != nil {
			return err
		}
		if err := f(ctx, r); err != nil {
			return err
		}
		if err := r.assignAndReconcile(ctx); err != nil {
			return err
		}
		return r.recordAudit(ctx, r.actor)
	})
}

// maxRepeats bounds how often a transaction is run again.
const maxRepeats = 10

// errLater reports that a record was observed after the instant of the resolution that reads it.
var errLater = errors.New("a record was observed after the instant of this resolution")

// transact runs f in a transaction. It runs it again, at a later instant, if a resolution without
// the lock came between: that one claimed identifiers in another order, or it committed a later
// instant after this one took its own.
func (s *Store) transact(ctx context.Context, f func(pgx.Tx) error) error {
	for repeats := 0; ; repeats++ {
		err := s.InTx(ctx, f)
		again := db.IsDeadlock(err) || db.IsOutOfOrder(err) || errors.Is(err, errLater)
		if !again || repeats == maxRepeats {
			return err
		}
	}
}

func (s *Store) newResolution(tx pgx.Tx, exclusive bool) *resolution {
	return &resolution{
		tx: tx, rules: s.rules, exclusive: exclusive, isolated: map[int64]bool{}, observedBy: map[int64][]int64{},
		changeSet: changeSet{rejected: map[int64][]inventory.Rejection{}}, references: map[reference][]namedCI{},
	}
}

// recordAudit adds an audit entry for the resolution if a person caused it.
func (r *resolution) recordAudit(ctx context.Context, actor inventory.Actor) error {
	if actor.Name == "" {
		return nil
	}
	_, err := r.tx.Exec(ctx, `insert into audit_entry (at, actor, reason) values ($1, $2, $3)`,
		r.at, actor.Name, actor.Reason)
	if err != nil {
		return fmt.Errorf("record audit entry: %w", err)
	}
	return nil
}

// Instants of resolutions. A resolution with the lock has an even microsecond that is later than
// that of every earlier one; a resolution without it has an odd one. So an audit entry, whose key
// is its instant, names only the changes of its own transaction.
const (
	lockedInstant = `
		update identity_clock set at = greatest(even_microsecond(clock_timestamp()), at + interval '2 microseconds')
		returning at`
	unlockedInstant = `select even_microsecond(clock_timestamp()) + interval '1 microsecond'`
)

// begin sets the instant of the resolution, after it has waited for the lock if it is exclusive.
// The transaction gets its number first: a read as of an instant waits for the transactions that
// have a number and began before it, see WaitUntilVisible. Plans are made once, for indexes:
// planning each statement anew costs more than it does, and a plan that was made for empty tables
// would scan them when they are large.
func (r *resolution) begin(ctx context.Context) error {
	batch := &pgx.Batch{}
	batch.Queue(`
		select pg_current_xact_id(), set_config('plan_cache_mode', 'force_generic_plan', true),
			set_config('enable_seqscan', 'off', true)`)
	instant := unlockedInstant
	if r.exclusive {
		instant = lockedInstant
	}
	batch.Queue(instant).QueryRow(func(row pgx.Row) error { return row.Scan(&r.at) })
	r.parents = map[string]string{}
	batch.Queue(`select name, coalesce(parent, '') from ci_class`).Query(func(rows pgx.Rows) error {
		var name, parent string
		_, err := pgx.ForEachRow(rows, []any{&name, &parent}, func() error {
			r.parents[name] = parent
			return nil
		})
		return err
	})
	return r.send(ctx, "begin resolution", batch)
}

// assignAndReconcile assigns the records that may have moved and reconciles the CIs that may have
// changed.
func (r *resolution) assignAndReconcile(ctx context.Context) error {
	if err := r.assign(ctx); err != nil {
		return err
	}
	return r.reconcile(ctx)
}

// baseClassOf returns the ancestor of a class directly below the root; "" for the root itself and
// for "".
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

// assignments returns the current assignments of records.
func (r *resolution) assignments(ctx context.Context, records []int64) (map[int64]inventory.RecordAssignment, error) {
	type assignmentRow struct {
		Record int64
		inventory.RecordAssignment
	}
	rows, err := db.Collect[assignmentRow](ctx, r.tx, "read assignments", `
		select m.record_id as record, m.ci_id::text as ci, s.liveness_dependent
		from assignment m join source_record s on s.id = m.record_id
		where m.record_id = any($1) and m.valid_to = 'infinity'`, records)
	assignments := make(map[int64]inventory.RecordAssignment, len(rows))
	for _, row := range rows {
		assignments[row.Record] = row.RecordAssignment
	}
	return assignments, err
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
