package store

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/musterhq/muster/internal/inventory"
)

// Judge decides what the store keeps: which records are one CI and which value is true. Its answers depend on its
// arguments alone.
type Judge interface {
	// Tokens brings identifiers into their one form and says which of them count for nothing.
	Tokens(ids inventory.Identifiers) ([]inventory.Token, []inventory.Rejection)
	// Searchable tells whether records are looked for by a token.
	Searchable(t inventory.Token) bool
	Partition(n inventory.Neighborhood) inventory.Partition
	// HasLeft tells whether what is true of a CI is that it is gone: disposed of, lost.
	HasLeft(attributes inventory.Attributes) bool
	// Observes tells whether a source sees things, and does not only list them.
	Observes(source string) bool
	// Identifiers returns the identifiers that declared attributes contain.
	Identifiers(baseClass string, attributes inventory.Attributes) inventory.Identifiers
	// Reconcile gives what is true of a CI; parents maps each class to the one above it.
	Reconcile(candidates []inventory.CandidateValues, locks []inventory.Lock, at time.Time, parents map[string]string) inventory.Effective
	// Explain puts a reason in words.
	Explain(reason inventory.Reason) string
	// RulesVersion names the rules it goes by, and Rules gives them as JSON.
	RulesVersion() string
	Rules() ([]byte, error)
}

// kindComputer is the kind of the records that our own agents make.
const kindComputer = "computer"

// Resolve takes in what records say of their things, finds out which CIs they are, and keeps what is true of these. It
// gives the place of each record. Nothing is written of what says the same as before.
func (s *Store) Resolve(ctx context.Context, testimonies []inventory.Testimony) (map[int64]inventory.Place, error) {
	var places map[int64]inventory.Place
	err := s.resolve(ctx, inventory.Actor{}, func(ctx context.Context, r *resolution) error {
		for _, t := range testimonies {
			r.heard[t.Record] = true
		}
		if err := r.testify(ctx, testimonies); err != nil {
			return err
		}
		if err := r.place(ctx); err != nil {
			return err
		}
		if err := r.parts(ctx, testimonies); err != nil {
			return err
		}
		var err error
		places, err = r.places(ctx, slices.Collect(maps.Keys(r.heard)))
		return err
	})
	return places, err
}

// resolution is one change of what is known of CIs. Resolutions follow one another, whichever collector they come from,
// so that CIs are what they would be had all reports come one by one; the time of each is later than that of the one before.
type resolution struct {
	tx    pgx.Tx
	judge Judge
	at    time.Time
	actor inventory.Actor

	parents map[string]string // class → the one above it

	heard     map[int64]bool  // records that speak now
	moved     map[int64]bool  // records whose place is to be looked at
	revalued  map[int64]bool  // records that say other values than before
	reclaimed map[int64]bool  // records that say other identifiers than before
	touched   map[string]bool // CIs whose values are to be looked at
	rerelated map[int64]bool  // records that tell of other relationships than before
	unseen    map[int64]bool  // parts that somebody sees no more
	resighted map[int64]bool  // records whose sight of parts counts since now, or no more
	rejected  map[int64][]inventory.Rejection
	compared  map[int64]bool // records whose values were compared with others'
	conflicts []inventory.Finding

	references map[reference][]namedCI
}

// resolve runs f and then settles what it changed, in one transaction.
func (s *Store) resolve(ctx context.Context, actor inventory.Actor, f func(context.Context, *resolution) error) error {
	return s.inTx(ctx, func(tx pgx.Tx) error {
		r := &resolution{
			tx: tx, judge: s.judge, actor: actor,
			heard: map[int64]bool{}, moved: map[int64]bool{}, revalued: map[int64]bool{}, reclaimed: map[int64]bool{}, touched: map[string]bool{},
			rejected: map[int64][]inventory.Rejection{}, compared: map[int64]bool{},
			references: map[reference][]namedCI{}, rerelated: map[int64]bool{}, unseen: map[int64]bool{}, resighted: map[int64]bool{},
		}
		if err := r.begin(ctx); err != nil {
			return err
		}
		if err := f(ctx, r); err != nil {
			return err
		}
		if err := r.settle(ctx); err != nil {
			return err
		}
		return r.sign(ctx)
	})
}

// sign keeps who did all that happened, where it was a person.
func (r *resolution) sign(ctx context.Context) error {
	if r.actor.Name == "" {
		return nil
	}
	_, err := r.tx.Exec(ctx, `insert into act (at, actor, reason) values ($1, $2, $3)`, r.at, r.actor.Name, r.actor.Reason)
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

// settle places the records that may have moved and reconciles the CIs that may have changed.
func (r *resolution) settle(ctx context.Context) error {
	if err := r.place(ctx); err != nil {
		return err
	}
	return r.reconcile(ctx)
}

// kindOf gives the class right below the root that a class belongs to; "" where it is not said.
func (r *resolution) kindOf(class string) string {
	for class != "" {
		above := r.parents[class]
		if above == rootClass {
			return class
		}
		class = above
	}
	return ""
}

// rootClass is the class of all CIs.
const rootClass = "ci"

// places tells where records are.
func (r *resolution) places(ctx context.Context, records []int64) (map[int64]inventory.Place, error) {
	rows, err := r.tx.Query(ctx, `
		select m.record_id, m.ci_id::text, s.unsettled
		from membership m join source_record s on s.id = m.record_id
		where m.record_id = any($1) and m.valid_to = 'infinity'`, records)
	if err != nil {
		return nil, fmt.Errorf("read places: %w", err)
	}
	places := make(map[int64]inventory.Place, len(records))
	var record int64
	var place inventory.Place
	_, err = pgx.ForEachRow(rows, []any{&record, &place.CI, &place.Unsettled}, func() error {
		places[record] = place
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read places: %w", err)
	}
	return places, nil
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
