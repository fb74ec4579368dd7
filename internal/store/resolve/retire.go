package resolve

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/musterhq/muster/internal/inventory"
	"github.com/musterhq/muster/internal/store/db"
)

// RetireCI ends a CI: lists and software counts leave it out. Its history stays. An observation
// restores it and opens a finding; an import does not restore it.
func (s *Store) RetireCI(ctx context.Context, id string, actor inventory.Actor) error {
	return s.resolve(ctx, actor, func(ctx context.Context, r *resolution) error {
		ci, _, err := r.currentCI(ctx, id)
		if err != nil {
			return err
		}
		members, err := r.membersOf(ctx, ci)
		if err != nil {
			return err
		}
		r.moved.add(members...)
		r.primaryChanged.add(members...)
		batch := &pgx.Batch{}
		batch.Queue(`update ci set retired_at = $2 where id = $1`, ci, r.at)
		batch.Queue(`update ci_version set valid_to = $2, retired = true where ci_id = $1 and valid_to = 'infinity'`,
			ci, r.at)
		batch.Queue(`update finding set closed_at = $2 where type = $3 and records <@ $1 and closed_at is null`,
			members, r.at, inventory.FindingReturned)
		if err := r.send(ctx, "retire ci", batch); err != nil {
			return err
		}
		if err := r.assign(ctx); err != nil {
			return err
		}
		return r.askObservers(ctx, members)
	})
}

// askObservers makes the observers of components liveness-dependent: their next check-in is
// resolved although they report nothing new.
func (r *resolution) askObservers(ctx context.Context, components []int64) error {
	_, err := r.tx.Exec(ctx, `
		update source_record set liveness_dependent = true where id in (
			select observer from relationship where from_record = any($1) and valid_to = 'infinity'
			union
			select observer from relationship where to_record = any($1) and valid_to = 'infinity'
		)`, components)
	if err != nil {
		return fmt.Errorf("ask observers: %w", err)
	}
	return nil
}

// RestoreCI restores a retired CI. It returns an inventory.Error with CodeConflict if the CI is not
// retired.
func (s *Store) RestoreCI(ctx context.Context, id string, actor inventory.Actor) error {
	return s.resolve(ctx, actor, func(ctx context.Context, r *resolution) error {
		var retired bool
		err := r.tx.QueryRow(ctx, `select retired_at is not null from ci where id = $1`, id).Scan(&retired)
		switch {
		case db.IsNoRows(err):
			return db.NotFound("there is no configuration item %s", id)
		case err != nil:
			return fmt.Errorf("find ci: %w", err)
		case !retired:
			return db.Conflict("%s is not retired", id)
		}
		members, err := r.membersOf(ctx, id)
		if err != nil {
			return err
		}
		r.moved.add(members...)
		r.primaryChanged.add(members...)
		batch := &pgx.Batch{}
		r.restore(batch, id)
		return r.send(ctx, "restore ci", batch)
	})
}

func (r *resolution) restore(batch *pgx.Batch, ci string) {
	batch.Queue(`update ci set retired_at = null where id = $1`, ci)
	r.touched.add(ci)
}

// findReturned finds the retired CIs that a source observes again: they are no longer retired.
func (p *assignmentChanges) findReturned(partitions []inventory.Partition) {
	retired := map[string]bool{}
	for _, from := range p.assigned {
		if from.Retired {
			retired[from.CI] = true
		}
	}
	if len(retired) == 0 {
		return
	}
	p.returned = map[string]int64{}
	for _, partition := range partitions {
		for _, to := range partition.Assignments {
			observed := p.updated[to.Record] && !p.fromFile[to.Record]
			if retired[to.CI] && observed && p.observes(p.Evidence[to.Record].Source) {
				p.returned[to.CI] = to.Record
			}
		}
	}
	for record, from := range p.assigned {
		if _, is := p.returned[from.CI]; is {
			from.Retired = false
			p.primaryChanged.add(record)
			p.assigned[record] = from
		}
	}
}

func (r *resolution) queueReturned(batch *pgx.Batch, returned map[string]int64) {
	for ci, record := range returned {
		r.restore(batch, ci)
		r.openFinding(batch, inventory.Finding{
			Type: inventory.FindingReturned, Records: []int64{record},
			Text: "it was retired, and a source observed it again",
		})
	}
}
