package agents

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/musterhq/muster/internal/inventory"
	"github.com/musterhq/muster/internal/store/db"
)

// ListAgents lists agents in the order of their enrollment, as they were at the page's instant.
func (s *Store) ListAgents(
	ctx context.Context, q inventory.AgentQuery, visit inventory.Visit[inventory.Agent],
) error {
	after, err := db.UUIDPosition(q.After)
	if err != nil {
		return err
	}
	// Ids are UUIDs of version 7 (RFC 9562 §5.7), which sort by time.
	args := pgx.NamedArgs{"as_of": db.Instant(q.Page), "after": after, "limit": db.Limit(q.Page), "state": q.State}
	return s.List(ctx, q.Page, func(tx pgx.Tx) error {
		return db.ForEach(ctx, tx, "list agents", agentsSQL+`
			where a.agent_id > @after and (@state = '' or a.state = @state)
			order by a.agent_id
			limit @limit`, args, func(agent inventory.Agent) error {
			return visit(agent, inventory.Position{agent.AgentID})
		})
	})
}

// agentsSQL selects the agents that were enrolled at @as_of, with their states at that instant.
const agentsSQL = `
	select a.agent_id::text, a.state, a.serial_number, a.hostname, coalesce(host(a.address), '') as address,
		coalesce(t.name, '') as token, coalesce(m.ci_id::text, '') as device, a.enrolled_at, a.approved_at,
		a.approved_by, a.revoked_at, a.revoked_by, coalesce(a.revoke_reason, '') as revoke_reason
	from (
		select a.record_id, a.agent_id, a.serial_number, a.hostname, a.address, a.enrolled_with,
			r.created_at as enrolled_at, d.approved_at, d.revoked_at,
			case when d.approved_at is null then '' else a.approved_by end as approved_by,
			case when d.revoked_at is null then '' else a.revoked_by end as revoked_by,
			case when d.revoked_at is null then '' else a.revoke_reason end as revoke_reason,
			case
				when d.revoked_at is not null and d.approved_at is null then 'refused'
				when d.revoked_at is not null then 'revoked'
				when d.approved_at is null then 'pending'
				else 'approved'
			end as state
		from agent a
		join source_record r on r.id = a.record_id
		cross join lateral (
			select case when a.approved_at <= @as_of then a.approved_at end as approved_at,
				case when a.revoked_at <= @as_of then a.revoked_at end as revoked_at
		) d
		where r.created_at <= @as_of
	) a
	left join enrollment_token t on t.id = a.enrolled_with
	left join assignment m on m.record_id = a.record_id and m.valid_from <= @as_of and m.valid_to > @as_of`

// Agent returns an agent as it is now.
func (s *Store) Agent(ctx context.Context, id string) (inventory.Agent, error) {
	args := pgx.NamedArgs{"as_of": db.Instant(inventory.Page{}), "id": id}
	agent, found, err := db.One[inventory.Agent](ctx, s.Pool, agentsSQL+` where a.agent_id = @id`, args)
	switch {
	case err != nil:
		return agent, fmt.Errorf("read agent: %w", err)
	case !found:
		return agent, noAgent(id)
	}
	return agent, nil
}

func noAgent(id string) error { return db.NotFound("there is no agent %s", id) }

// ApproveAgent lets a pending agent report. An approved one stays as it is.
func (s *Store) ApproveAgent(ctx context.Context, id string, actor inventory.Actor) error {
	var revoked bool
	err := s.Pool.QueryRow(ctx, `
		update agent set
			approved_at = case
				when revoked_at is null then coalesce(approved_at, clock_timestamp())
				else approved_at
			end,
			approved_by = case when revoked_at is null and approved_at is null then $2 else approved_by end
		where agent_id = $1
		returning revoked_at is not null`, id, actor.Name).Scan(&revoked)
	switch {
	case db.IsNoRows(err):
		return noAgent(id)
	case err != nil:
		return fmt.Errorf("approve agent: %w", err)
	case revoked:
		return db.Conflict("the agent was refused or revoked: enroll it again")
	}
	return nil
}

// RefuseAgent refuses a pending agent. Its key can never report.
func (s *Store) RefuseAgent(ctx context.Context, id string, actor inventory.Actor) error {
	agent, err := s.Agent(ctx, id)
	switch {
	case err != nil:
		return err
	case agent.ApprovedAt != nil:
		return db.Conflict("the agent is approved: revoke it instead")
	}
	return s.RevokeAgents(ctx, []string{id}, actor)
}

// RevokeAgents revokes agents and all agents that were forked from them, now. Those that are
// already revoked keep their time and reason.
func (s *Store) RevokeAgents(ctx context.Context, ids []string, actor inventory.Actor) error {
	return s.InTx(ctx, func(tx pgx.Tx) error {
		records, err := db.Column[int64](ctx, tx, "find agents", `
			select record_id from agent where agent_id = any($1::uuid[])`, ids)
		if err != nil {
			return err
		}
		if len(records) == 0 && len(ids) > 0 {
			return noAgent(ids[0])
		}
		// A fork holds the lock of its origin until it commits: the next round sees it.
		for revoked := true; revoked; {
			more, err := db.Column[int64](ctx, tx, "revoke agents", `select revoke_agents($1, $2, $3)`,
				records, actor.Name, actor.Reason)
			if err != nil {
				return err
			}
			revoked = len(more) > 0
		}
		return nil
	})
}
