package resolve

import (
	"context"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5"

	"github.com/musterhq/muster/internal/inventory"
	"github.com/musterhq/muster/internal/store/db"
)

// MergeCIs constrains CIs to be one, and returns the CI that remains: the one that was known first.
func (s *Store) MergeCIs(ctx context.Context, ids []string, actor inventory.Actor) (string, error) {
	var merged string
	err := s.resolve(ctx, actor, func(ctx context.Context, r *resolution) error {
		groups, err := r.groups(ctx, ids)
		if err != nil {
			return err
		}
		batch := &pgx.Batch{}
		for i, group := range groups[1:] {
			for _, other := range groups[:i+1] {
				r.revokeSeparations(batch, other, group)
			}
			r.constrainPair(batch, groups[0][0], group[0], true, inventory.OriginOperator)
		}
		if err := r.send(ctx, "merge cis", batch); err != nil {
			return err
		}
		if err := r.assign(ctx); err != nil {
			return err
		}
		merged, err = r.oneCI(ctx, groups)
		return err
	})
	return merged, err
}

// groups returns the members of each CI, or an error if the CIs cannot be merged.
func (r *resolution) groups(ctx context.Context, ids []string) ([][]int64, error) {
	var groups [][]int64
	var cis, baseClasses []string
	for _, id := range ids {
		ci, class, err := r.currentCI(ctx, id)
		if err != nil {
			return nil, err
		}
		if slices.Contains(cis, ci) {
			return nil, db.Conflict("%s is %s already", id, ci)
		}
		members, err := r.membersOf(ctx, ci)
		if err != nil {
			return nil, err
		}
		if len(members) == 0 {
			return nil, db.Conflict("no source record belongs to %s any more: its records belong to another CI", id)
		}
		cis, baseClasses, groups = append(cis, ci), append(baseClasses, r.baseClassOf(class)), append(groups, members)
	}
	if len(groups) < 2 {
		return nil, db.Invalid("a merge needs at least two cis")
	}
	known := slices.Compact(slices.Sorted(slices.Values(baseClasses)))
	known = slices.DeleteFunc(known, func(baseClass string) bool { return baseClass == "" })
	if len(known) > 1 {
		return nil, db.Invalid("a %s and a %s cannot be one CI", known[0], known[1])
	}
	return groups, nil
}

// revokeSeparations revokes the constraints that separate two groups of records.
func (r *resolution) revokeSeparations(batch *pgx.Batch, a, b []int64) {
	batch.Queue(`
		update identity_constraint set revoked_at = $3
		where not linked and revoked_at is null
			and (record_a = any($1) and record_b = any($2) or record_a = any($2) and record_b = any($1))`,
		a, b, r.at)
}

// oneCI returns the CI that all groups belong to.
func (r *resolution) oneCI(ctx context.Context, groups [][]int64) (string, error) {
	all := slices.Concat(groups...)
	assignments, err := r.assignments(ctx, all)
	if err != nil {
		return "", err
	}
	ci := assignments[groups[0][0]].CI
	for _, record := range all {
		if assignments[record].CI != ci {
			return "", db.Conflict("record %d stays separate: a constraint separates it from the others", record)
		}
	}
	return ci, nil
}

// SplitCI constrains some records of a CI to be separate from its other records.
func (s *Store) SplitCI(ctx context.Context, id string, records []int64, actor inventory.Actor) error {
	return s.resolve(ctx, actor, func(ctx context.Context, r *resolution) error {
		ci, _, err := r.currentCI(ctx, id)
		if err != nil {
			return err
		}
		members, err := r.membersOf(ctx, ci)
		if err != nil {
			return err
		}
		for _, record := range records {
			if !slices.Contains(members, record) {
				return db.Invalid("record %d is none of %s", record, id)
			}
		}
		picked := func(record int64) bool { return slices.Contains(records, record) }
		rest := slices.DeleteFunc(slices.Clone(members), picked)
		if len(rest) == 0 || len(records) == 0 {
			return db.Invalid("a split needs records on both sides: %s has %d", id, len(members))
		}
		return r.keepSeparate(ctx, records, rest, inventory.OriginOperator)
	})
}

// keepSeparate constrains each record of one side to be separate from each of the other.
func (r *resolution) keepSeparate(ctx context.Context, side, other []int64, origin string) error {
	batch := &pgx.Batch{}
	for _, a := range side {
		for _, b := range other {
			r.constrainPair(batch, a, b, false, origin)
		}
	}
	if err := r.send(ctx, "separate records", batch); err != nil {
		return err
	}
	if err := r.assign(ctx); err != nil {
		return fmt.Errorf("separate records: %w", err)
	}
	return nil
}
