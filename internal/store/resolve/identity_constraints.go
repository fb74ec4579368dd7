package resolve

import (
	"context"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/musterhq/muster/internal/inventory"
	"github.com/musterhq/muster/internal/store/db"
)

// constrainPair constrains two records to be one CI, or never one. It revokes a contrary constraint
// and a conflict at the same instant, by which an undo finds them.
func (r *resolution) constrainPair(batch *pgx.Batch, a, b int64, linked bool, origin string) {
	if a > b {
		a, b = b, a
	}
	batch.Queue(`
		update identity_constraint set revoked_at = $4
		where record_a = $1 and record_b = $2 and (linked <> $3 or origin = $5) and revoked_at is null`,
		a, b, linked, r.at, inventory.OriginConflict)
	batch.Queue(`
		insert into identity_constraint (id, linked, record_a, record_b, origin, actor, reason, created_at)
		select $1, $2, $3, $4, $5, $6, $7, $8
		where not exists (
			select from identity_constraint
			where record_a = $3 and record_b = $4 and linked = $2 and revoked_at is null
		)`, uuid.New(), linked, a, b, origin, r.actor.Name, r.actor.Reason, r.at)
	r.moved.add(a, b)
}

// queueConflict notes that two agents were alive at one time. From then on they take no turns,
// whatever the second one reports of its sessions.
func (r *resolution) queueConflict(batch *pgx.Batch, a, b int64) {
	batch.Queue(`
		insert into identity_constraint (id, linked, record_a, record_b, origin, actor, reason, created_at)
		select $1, false, $2, $3, $4, '', 'both agents were alive at one time', $5
		where not exists (
			select from identity_constraint where record_a = $2 and record_b = $3 and revoked_at is null
		)`, uuid.New(), a, b, inventory.OriginConflict, r.at)
}

// membersOf returns the records of a CI, the earliest first.
func (r *resolution) membersOf(ctx context.Context, ci string) ([]int64, error) {
	return db.Column[int64](ctx, r.tx, "read members of ci", `
		select s.id
		from assignment m join source_record s on s.id = m.record_id
		where m.ci_id = $1 and m.valid_to = 'infinity'
		order by s.created_at, s.id`, ci)
}
