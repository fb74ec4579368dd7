package agents

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/musterhq/muster/internal/inventory"
	"github.com/musterhq/muster/internal/store/db"
)

// Enroll spends one use of an enrollment token on an agent's key and gives the agent's id. A key that is enrolled
// already keeps its record and spends nothing: an agent whose answer was lost asks again. token is the hash of
// the token, key that of the public key; from is where the agent calls from; expires is when the certificate that it
// gets does.
func (s *Store) Enroll(ctx context.Context, token, key [32]byte, from netip.Addr, expires time.Time) (agentID string, err error) {
	err = s.InTx(ctx, func(tx pgx.Tx) error {
		id, err := checkToken(ctx, tx, token, from)
		if err != nil {
			return err
		}
		agentID, err = enrolledAgent(ctx, tx, key)
		if agentID != "" || err != nil {
			return err
		}
		// The row is locked since checkToken: of two agents that want the last use one gets it.
		spent, err := tx.Exec(ctx, `update enrollment_token set uses = uses + 1 where id = $1 and uses < max_uses`, id)
		if err != nil {
			return fmt.Errorf("spend enrollment token: %w", err)
		}
		if spent.RowsAffected() == 0 {
			return unauthenticated("the enrollment token is used up")
		}
		agentID, err = addAgent(ctx, tx, key, expires, &id, nil)
		return err
	})
	return agentID, err
}

func unauthenticated(message string) error {
	return &inventory.Error{Code: inventory.CodeUnauthenticated, Message: message}
}

func checkToken(ctx context.Context, tx pgx.Tx, token [32]byte, from netip.Addr) (uuid.UUID, error) {
	var (
		id                        uuid.UUID
		expired, revoked, allowed bool
	)
	err := tx.QueryRow(ctx, `
		select id, expires_at <= clock_timestamp(), revoked_at is not null, network is null or network >>= $2::inet
		from enrollment_token
		where hash = $1
		for update`, token[:], from).Scan(&id, &expired, &revoked, &allowed)
	switch {
	case errors.Is(err, pgx.ErrNoRows):
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

func enrolledAgent(ctx context.Context, tx pgx.Tx, key [32]byte) (string, error) {
	var agentID string
	var revoked bool
	err := tx.QueryRow(ctx, `
		select a.agent_id::text, a.revoked_at is not null
		from source_record r join agent a on a.record_id = r.id
		where r.source = $1 and r.native_key = $2`, inventory.SourceAgent, key[:]).Scan(&agentID, &revoked)
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return "", nil
	case err != nil:
		return "", fmt.Errorf("find agent: %w", err)
	case revoked:
		return "", &inventory.Error{Code: inventory.CodeForbidden, Message: "this agent's key was revoked"}
	}
	return agentID, nil
}

func addAgent(ctx context.Context, tx pgx.Tx, key [32]byte, expires time.Time, token *uuid.UUID, forkedFrom *int64) (string, error) {
	id, err := uuid.NewV7()
	if err != nil {
		return "", fmt.Errorf("make agent id: %w", err)
	}
	defaultCI, err := uuid.NewV7()
	if err != nil {
		return "", fmt.Errorf("make device id: %w", err)
	}
	_, err = tx.Exec(ctx, `
		with record as (
			insert into source_record (source, native_key, label, base_class, default_ci, forked_from)
			values (@source, @key, (@agent::uuid)::text, @base_class, @default_ci, @forked_from)
			returning id
		), apart as (
			insert into identity_constraint (id, linked, record_a, record_b, origin, actor, reason, created_at)
			select gen_random_uuid(), false, @forked_from::bigint, id, 'fork', '',
				'the agent''s key was in use on another machine', clock_timestamp()
			from record
			where @forked_from::bigint is not null
		)
		insert into agent (record_id, agent_id, enrolled_with, certificate_expires_at)
		select id, @agent::uuid, @token, @expires from record`,
		pgx.NamedArgs{
			"source": inventory.SourceAgent, "key": key[:], "agent": id, "base_class": inventory.ClassComputer, "default_ci": defaultCI,
			"forked_from": forkedFrom, "token": token, "expires": expires,
		})
	if err != nil {
		return "", fmt.Errorf("add agent: %w", err)
	}
	return id.String(), nil
}

// Renew notes a new certificate of a known agent and gives the agent's id. An agent whose last certificate expired
// before notBefore has been away for too long.
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
	case errors.Is(err, pgx.ErrNoRows):
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

// Fork enrolls the new key of an agent that was found to be a clone of another record.
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

// AddIncident records what the ratchet found out where no change goes with it.
func (s *Store) AddIncident(ctx context.Context, record int64, incident inventory.Incident) error {
	_, err := s.Pool.Exec(ctx, `
		insert into sync_incident (record_id, at, type, detail) values ($1, clock_timestamp(), $2, $3)`,
		record, incident.Type, incident.Detail)
	if err != nil {
		return fmt.Errorf("record incident: %w", err)
	}
	return nil
}

// RevokedSince lists the records of the agents that were revoked after an instant.
func (s *Store) RevokedSince(ctx context.Context, after time.Time) ([]int64, error) {
	return db.Column[int64](ctx, s.Pool, "list revoked agents", `
		select record_id from agent where revoked_at > $1`, after)
}
