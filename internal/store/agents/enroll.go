package agents

import (
	"context"
	"fmt"
	"net/netip"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/musterhq/muster/internal/inventory"
	"github.com/musterhq/muster/internal/store/db"
)

// Enroll enrolls an agent with one use of an enrollment token and returns the agent's id. token is
// the hash of the token, key the hash of the agent's public key, from the address of the agent, and
// expires the expiry of its new certificate. A key that is already enrolled keeps its record and
// does not use the token: an agent that did not receive the response tries again.
func (s *Store) Enroll(
	ctx context.Context, token, key [32]byte, from netip.Addr, expires time.Time,
) (agentID string, err error) {
	enroll := func(tx pgx.Tx) error {
		id, err := checkToken(ctx, tx, token, from)
		if err != nil {
			return err
		}
		agentID, err = enrolledAgent(ctx, tx, key)
		if agentID != "" || err != nil {
			return err
		}
		if err := useToken(ctx, tx, id); err != nil {
			// Another enrollment of the key may have taken the last use meanwhile.
			if agentID, _ = enrolledAgent(ctx, tx, key); agentID != "" {
				return nil
			}
			return err
		}
		agentID, err = addAgent(ctx, tx, key, expires, &id, nil)
		return err
	}
	if err = s.InTx(ctx, enroll); db.IsTaken(err) { // by another enrollment of the key, which is visible now
		err = s.InTx(ctx, enroll)
	}
	return agentID, err
}

// useToken takes one of the remaining uses of a token. It waits for other enrollments only if they
// may have taken the last ones.
func useToken(ctx context.Context, tx pgx.Tx, id uuid.UUID) error {
	for _, locked := range []string{`skip locked`, ``} {
		taken, err := tx.Exec(ctx, `
			update enrollment_token_uses u set remaining = u.remaining - 1
			from (
				select token_id, part from enrollment_token_uses
				where token_id = $1 and remaining > 0
				limit 1
				for update `+locked+`
			) free
			where u.token_id = free.token_id and u.part = free.part`, id)
		if err != nil {
			return fmt.Errorf("use enrollment token: %w", err)
		}
		if taken.RowsAffected() > 0 {
			return nil
		}
	}
	return unauthenticated("the enrollment token is used up")
}

func unauthenticated(message string) error {
	return &inventory.Error{Code: inventory.CodeUnauthenticated, Message: message}
}

// checkToken returns the id of an enrollment token, or an inventory.Error with CodeUnauthenticated.
func checkToken(ctx context.Context, tx pgx.Tx, token [32]byte, from netip.Addr) (uuid.UUID, error) {
	var (
		id                        uuid.UUID
		expired, revoked, allowed bool
	)
	err := tx.QueryRow(ctx, `
		select id, expires_at <= clock_timestamp(), revoked_at is not null, network is null or network >>= $2::inet
		from enrollment_token
		where hash = $1`, token[:], from).Scan(&id, &expired, &revoked, &allowed)
	switch {
	case db.IsNoRows(err):
		return id, unauthenticated("the enrollment token is not known here")
	case err != nil:
		return id, fmt.Errorf("check enrollment token: %w", err)
	case revoked:
		return id, unauthenticated("the enrollment token was revoked")
	case expired:
		return id, unauthenticated("the enrollment token has expired")
	case !allowed:
		return id, unauthenticated("the enrollment token may not be used from this network")
	}
	return id, nil
}

// enrolledAgent returns the id of the agent with a key, or "" if there is none.
func enrolledAgent(ctx context.Context, tx pgx.Tx, key [32]byte) (string, error) {
	var agentID string
	var revoked bool
	err := tx.QueryRow(ctx, `
		select a.agent_id::text, a.revoked_at is not null
		from source_record r join agent a on a.record_id = r.id
		where r.source = $1 and r.native_key = $2`, inventory.SourceAgent, key[:]).Scan(&agentID, &revoked)
	switch {
	case db.IsNoRows(err):
		return "", nil
	case err != nil:
		return "", fmt.Errorf("find agent: %w", err)
	case revoked:
		return "", &inventory.Error{Code: inventory.CodeForbidden, Message: "this agent's key was revoked"}
	}
	return agentID, nil
}

// addAgent adds the source record and the agent of a key. A constraint keeps the record separate
// from the record that it was forked from, if any.
func addAgent(
	ctx context.Context, tx pgx.Tx, key [32]byte, expires time.Time, token *uuid.UUID, forkedFrom *int64,
) (string, error) {
	id, err := uuid.NewV7()
	if err != nil {
		return "", fmt.Errorf("generate agent id: %w", err)
	}
	defaultCI, err := uuid.NewV7()
	if err != nil {
		return "", fmt.Errorf("generate device id: %w", err)
	}
	_, err = tx.Exec(ctx, `
		with record as (
			insert into source_record (source, native_key, label, base_class, default_ci, forked_from)
			values (@source, @key, (@agent::uuid)::text, @base_class, @default_ci, @forked_from)
			returning id
		), separate as (
			insert into identity_constraint (id, linked, record_a, record_b, origin, actor, reason, created_at)
			select gen_random_uuid(), false, @forked_from::bigint, id, 'fork', '',
				'the agent''s key was in use on another machine', clock_timestamp()
			from record
			where @forked_from::bigint is not null
		)
		insert into agent (record_id, agent_id, enrolled_with, certificate_expires_at)
		select id, @agent::uuid, @token, @expires from record`,
		pgx.NamedArgs{
			"source": inventory.SourceAgent, "key": key[:], "agent": id, "base_class": inventory.ClassComputer,
			"default_ci": defaultCI, "forked_from": forkedFrom, "token": token, "expires": expires,
		})
	if err != nil {
		return "", fmt.Errorf("add agent: %w", err)
	}
	return id.String(), nil
}

// Renew stores the expiry of an agent's new certificate and returns the agent's id. If its last
// certificate expired before notBefore, it returns an inventory.Error with CodeUnauthenticated.
func (s *Store) Renew(ctx context.Context, key [32]byte, expires, notBefore time.Time) (agentID string, err error) {
	var revoked, stale bool
	err = s.Pool.QueryRow(ctx, `
		with known as (
			select a.record_id, a.agent_id, a.revoked_at is not null as revoked, a.certificate_expires_at < $4 as stale
			from source_record r join agent a on a.record_id = r.id
			where r.source = $1 and r.native_key = $2
		), renewed as (
			update agent a set certificate_expires_at = $3
			from known k
			where a.record_id = k.record_id and not k.revoked and not k.stale
		)
		select agent_id::text, revoked, stale from known`, inventory.SourceAgent, key[:], expires, notBefore).
		Scan(&agentID, &revoked, &stale)
	switch {
	case db.IsNoRows(err):
		return "", unauthenticated("this agent is not enrolled")
	case err != nil:
		return "", fmt.Errorf("renew certificate: %w", err)
	case revoked:
		return "", &inventory.Error{Code: inventory.CodeForbidden, Message: "this agent's key was revoked"}
	case stale:
		return "", unauthenticated("the agent's certificate expired too long ago: enroll it again")
	}
	return agentID, nil
}

// Fork enrolls the new key of an agent that runs on a clone of the machine of another record.
func (s *Store) Fork(ctx context.Context, from int64, key [32]byte, expires time.Time) (agentID string, err error) {
	err = s.InTx(ctx, func(tx pgx.Tx) error {
		agentID, err = enrolledAgent(ctx, tx, key)
		if agentID != "" || err != nil {
			return err
		}
		agentID, err = addAgent(ctx, tx, key, expires, nil, &from)
		return err
	})
	return agentID, err
}

// AddIncident stores an incident of the ratchet that comes without a change.
func (s *Store) AddIncident(ctx context.Context, record int64, incident inventory.Incident) error {
	_, err := s.Pool.Exec(ctx, `
		insert into sync_incident (record_id, at, type, detail) values ($1, clock_timestamp(), $2, $3)`,
		record, incident.Type, incident.Detail)
	if err != nil {
		return fmt.Errorf("add incident: %w", err)
	}
	return nil
}

// RevokedSince lists the records of the agents that were revoked after an instant.
func (s *Store) RevokedSince(ctx context.Context, after time.Time) ([]int64, error) {
	return db.Column[int64](ctx, s.Pool, "list revoked agents", `
		select record_id from agent where revoked_at > $1`, after)
}
