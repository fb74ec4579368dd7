package resolve

import (
	"context"
	"errors"
	"maps"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/musterhq/muster/internal/inventory"
	"github.com/musterhq/muster/internal/store/items"
)

// Update is a change of a record's inventory together with the observation that it amounts to.
type Update struct {
	Change   items.Change
	First    bool                // the record is not assigned to a CI yet
	Observed *inventory.Observed // nil: nothing changed that identifies or describes the machine
}

// Committed is the outcome of an update.
type Committed struct {
	At         time.Time
	Assignment *inventory.RecordAssignment // nil: the update had no observation
}

// Commit applies a group of updates, one per record. All that one update changes is in one
// transaction: evidence, assignment, values, sets, events and states. An update that is relative to
// an older version of its record, or of a revoked agent, is not among the results.
//
// First inventories of machines whose identifiers nobody else reports, and updates without an
// observation, are committed without the lock of identity_clock. The others follow in a second
// transaction that holds it. After an error, the results hold what was committed before.
func (s *Store) Commit(ctx context.Context, updates []Update) (map[int64]Committed, error) {
	if err := s.items.Prepare(ctx, changesOf(updates)); err != nil {
		return nil, err
	}
	var free, locked []Update
	for _, u := range updates {
		if u.Observed == nil || u.First {
			free = append(free, u)
		} else {
			locked = append(locked, u)
		}
	}
	results := make(map[int64]Committed, len(updates))
	contended, err := s.commitFree(ctx, free, results)
	if err != nil {
		return results, err
	}
	if locked = append(locked, contended...); len(locked) == 0 {
		return results, nil
	}
	return results, s.commitGroup(ctx, locked, true, results)
}

// commitFree commits what needs no lock and returns the updates that turned out to need it.
func (s *Store) commitFree(
	ctx context.Context, updates []Update, results map[int64]Committed,
) (contended []Update, err error) {
	for len(updates) > 0 {
		err := s.commitGroup(ctx, updates, false, results)
		lost, is := errors.AsType[*contendedError](err)
		if !is {
			return contended, err
		}
		var rest []Update
		for _, u := range updates {
			if lost.records[u.Change.Record] {
				contended = append(contended, u)
			} else {
				rest = append(rest, u)
			}
		}
		if len(rest) == len(updates) { // it names none of them: trying again would not end
			return append(contended, updates...), nil
		}
		updates = rest
	}
	return contended, nil
}

// commitGroup commits updates in one transaction.
func (s *Store) commitGroup(ctx context.Context, updates []Update, exclusive bool, results map[int64]Committed) error {
	var committed map[int64]Committed
	err := s.transact(ctx, func(tx pgx.Tx) (err error) {
		committed, err = s.commitIn(ctx, s.newResolution(tx, exclusive), updates)
		return err
	})
	if err == nil {
		maps.Copy(results, committed)
	}
	return err
}

func (s *Store) commitIn(ctx context.Context, r *resolution, updates []Update) (map[int64]Committed, error) {
	observes := slices.ContainsFunc(updates, func(u Update) bool { return u.Observed != nil })
	if observes {
		if err := r.begin(ctx); err != nil {
			return nil, err
		}
	}
	changes := changesOf(updates)
	applied, err := items.Fence(ctx, r.tx, changes)
	if err != nil {
		return nil, err
	}
	var assignments map[int64]inventory.RecordAssignment
	if observes {
		if assignments, err = r.resolveUpdates(ctx, updates, applied); err != nil {
			return nil, err
		}
	}
	if err := s.items.Write(ctx, r.tx, changes, applied); err != nil {
		return nil, err
	}
	committed := make(map[int64]Committed, len(applied))
	for record, at := range applied {
		c := Committed{At: at}
		if assignment, ok := assignments[record]; ok {
			c.Assignment = &assignment
		}
		committed[record] = c
	}
	return committed, nil
}

// resolveUpdates resolves the observations of the updates that passed the fence.
func (r *resolution) resolveUpdates(
	ctx context.Context, updates []Update, applied map[int64]time.Time,
) (map[int64]inventory.RecordAssignment, error) {
	var observations []inventory.Observation
	var records []int64
	for _, u := range updates {
		if _, ok := applied[u.Change.Record]; ok && u.Observed != nil {
			observations = append(observations, inventory.Observation{Record: u.Change.Record, Observed: *u.Observed})
			records = append(records, u.Change.Record)
		}
	}
	if len(observations) == 0 {
		return nil, nil //nolint:nilnil // no observations have no assignments
	}
	if err := r.observe(ctx, observations); err != nil {
		return nil, err
	}
	if err := r.assignAndReconcile(ctx); err != nil {
		return nil, err
	}
	return r.assignments(ctx, records)
}

func changesOf(updates []Update) []*items.Change {
	changes := make([]*items.Change, len(updates))
	for i := range updates {
		changes[i] = &updates[i].Change
	}
	return changes
}

// contendedError reports records that cannot be resolved without the lock: other records have to do
// with them, or with components that they report.
type contendedError struct{ records map[int64]bool }

func (*contendedError) Error() string { return "other records report the same identifiers" }

// contend returns an error that names the records; nil if there are none. A step names all of them
// at once, because each error ends a transaction.
func contend(records ...int64) error {
	if len(records) == 0 {
		return nil
	}
	lost := map[int64]bool{}
	for _, record := range records {
		lost[record] = true
	}
	return &contendedError{lost}
}
