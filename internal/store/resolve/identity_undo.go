package resolve

import (
	"context"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5"

	"github.com/musterhq/muster/internal/inventory"
	"github.com/musterhq/muster/internal/store/db"
)

// UndoDecision reverts a decision. It revokes the constraints of a person and restores those that
// they replaced. Against a decision of the rules it adds a contrary constraint, so that the rules
// do not repeat it.
func (s *Store) UndoDecision(ctx context.Context, id int64, actor inventory.Actor) error {
	return s.resolve(ctx, actor, func(ctx context.Context, r *resolution) error {
		d, err := r.decision(ctx, id)
		if err != nil {
			return err
		}
		if d.Actor != "" {
			err = r.revoke(ctx, d)
		} else {
			err = r.contradict(ctx, d)
		}
		if err != nil {
			return err
		}
		if err := r.assign(ctx); err != nil {
			return err
		}
		_, err = r.tx.Exec(ctx, `
			update identity_decision set undone_at = $3
			where at = $1 and (new_ci = $2 or old_ci = $2) and undone_at is null`, d.At, d.NewCI, r.at)
		if err != nil {
			return fmt.Errorf("mark decision as undone: %w", err)
		}
		return nil
	})
}

// decision reads a decision that can be undone.
func (r *resolution) decision(ctx context.Context, id int64) (inventory.Decision, error) {
	d := inventory.Decision{ID: id}
	err := r.tx.QueryRow(ctx, `
		select at, record_id, action, coalesce(old_ci::text, ''), new_ci::text, actor, undone_at
		from identity_decision where id = $1`, id).
		Scan(&d.At, &d.Record, &d.Action, &d.OldCI, &d.NewCI, &d.Actor, &d.UndoneAt)
	if db.IsNoRows(err) {
		return d, db.NotFound("there is no decision %d", id)
	}
	if err != nil {
		return d, fmt.Errorf("read decision: %w", err)
	}
	switch {
	case d.UndoneAt != nil:
		return d, db.Conflict("decision %d is undone already", id)
	case d.Action == inventory.ActionCreated || d.Action == inventory.ActionConfirmed:
		return d, db.Conflict("decision %d changed nothing that could be undone", id)
	}
	return d, nil
}

// revoke revokes the constraints that a person made with a decision, and restores those that were
// revoked then.
func (r *resolution) revoke(ctx context.Context, d inventory.Decision) error {
	type pair struct{ RecordA, RecordB int64 }
	pairs, err := db.Collect[pair](ctx, r.tx, "revoke constraints", `
		with restored as (
			insert into identity_constraint (id, linked, record_a, record_b, origin, actor, reason, created_at)
			select gen_random_uuid(), linked, record_a, record_b, origin, actor, reason, $2
				from identity_constraint where revoked_at = $1
			returning record_a, record_b
		), revoked as (
			update identity_constraint set revoked_at = $2 where created_at = $1 and revoked_at is null
			returning record_a, record_b
		)
		select record_a, record_b from restored union all select record_a, record_b from revoked`, d.At, r.at)
	if err != nil {
		return err
	}
	for _, p := range pairs {
		r.moved.add(p.RecordA, p.RecordB)
	}
	if len(r.moved) == 0 {
		return db.Conflict("decision %d is no longer in force", d.ID)
	}
	return nil
}

// contradict separates the records that a decision added to a CI from its other records or, after a
// split, links them again.
func (r *resolution) contradict(ctx context.Context, d inventory.Decision) error {
	if d.Action == inventory.ActionSplit || d.Action == inventory.ActionMoved {
		return r.rejoin(ctx, d)
	}
	came, err := db.Column[int64](ctx, r.tx, "read decisions", `
		select record_id from identity_decision
		where at = $1 and new_ci = $2 and action in ('linked', 'merged')`, d.At, d.NewCI)
	if err != nil {
		return err
	}
	assignments, err := r.assignments(ctx, []int64{d.Record})
	if err != nil {
		return err
	}
	members, err := r.membersOf(ctx, assignments[d.Record].CI)
	if err != nil {
		return err
	}
	rest := slices.DeleteFunc(members, func(record int64) bool { return slices.Contains(came, record) })
	if len(rest) == 0 {
		return db.Conflict("decision %d is no longer in force", d.ID)
	}
	return r.keepSeparate(ctx, came, rest, inventory.OriginUndo)
}

func (r *resolution) rejoin(ctx context.Context, d inventory.Decision) error {
	members, err := r.membersOf(ctx, d.OldCI)
	if err != nil {
		return err
	}
	if len(members) == 0 {
		return db.Conflict("no source record belongs to %s any more", d.OldCI)
	}
	batch := &pgx.Batch{}
	r.constrainPair(batch, d.Record, members[0], true, inventory.OriginUndo)
	return r.send(ctx, "rejoin records", batch)
}
