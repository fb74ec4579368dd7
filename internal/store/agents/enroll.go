package agents

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/musterhq/muster/internal/inventory"
	"github.com/musterhq/muster/internal/store/db"
)

// Enroll enrolls an agent with one use of an enrollment token and returns the agent's id. A key
// that is already enrolled keeps its record and does not use the token: an agent that did not
// receive the response tries again.
func (s *Store) Enroll(ctx context.Context, e inventory.Enrollment) (agentID string, err error) {
	enroll := func(tx pgx.Tx) error {
		token, err := checkToken(ctx, tx, e)
		if err != nil {
			return err
		}
		agentID, err = enrolledAgent(ctx, tx, e.Key)
		if agentID != "" || err != nil {
			return err
		}
		if err := useToken(ctx, tx, token.id); err != nil {
			// Another enrollment of the key may have taken the last use meanwhile.
			if agentID, _ = enrolledAgent(ctx, tx, e.Key); agentID != "" {
				return nil
			}
			return err
		}
		agentID, err = addAgent(ctx, tx, newAgent{
			Enrollment: e, token: &token.id, approved: token.approval == inventory.ApprovalAutomatic,
		})
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

func forbidden(message string) error {
	return &inventory.Error{Code: inventory.CodeForbidden, Message: message}
}

// usedToken is an enrollment token that an agent may use.
type usedToken struct {
	id       uuid.UUID
	approval string
}

// checkToken returns the enrollment token of an agent, or an inventory.Error with
// CodeUnauthenticated.
func checkToken(ctx context.Context, tx pgx.Tx, e inventory.Enrollment) (usedToken, error) {
	var (
		token                     usedToken
		expired, revoked, allowed bool
		expected                  []string
	)
	err := tx.QueryRow(ctx, `
		select id, approval, serial_numbers, expires_at <= clock_timestamp(), revoked_at is not null,
			network is null or network >>= $2::inet
		from enrollment_token
		where hash = $1`, e.Token[:], e.From).Scan(&token.id, &token.approval, &expected, &expired, &revoked, &allowed)
	switch {
	case db.IsNoRows(err):
		return token, unauthenticated("the enrollment token is not known here")
	case err != nil:
		return token, fmt.Errorf("check enrollment token: %w", err)
	case revoked:
		return token, unauthenticated("the enrollment token was revoked")
	case expired:
		return token, unauthenticated("the enrollment token has expired")
	case !allowed:
		return token, unauthenticated("the enrollment token may not be used from this network")
	case len(expected) > 0 && !slices.Contains(expected, foldSerial(e.SerialNumber)):
		return token, unauthenticated(fmt.Sprintf(
			"the enrollment token is for machines with other serial numbers than %q", e.SerialNumber))
	}
	return token, nil
}

// foldSerial returns a serial number in the form that is compared.
func foldSerial(serial string) string {
	return strings.ToLower(strings.Join(strings.Fields(serial), " "))
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
		return "", forbidden("this agent's key was revoked")
	}
	return agentID, nil
}

// newAgent is an agent that is added.
type newAgent struct {
	inventory.Enrollment

	token      *uuid.UUID // nil: it was forked
	forkedFrom *int64     // the record whose key it had; nil: it enrolled with a token
	approved   bool
}

// addAgent adds the source record and the agent of a key. A constraint keeps the record separate
// from the record that it was forked from, if any.
func addAgent(ctx context.Context, tx pgx.Tx, a newAgent) (string, error) {
	id, err := uuid.NewV7()
	if err != nil {
		return "", fmt.Errorf("generate agent id: %w", err)
	}
	defaultCI, err := uuid.NewV7()
	if err != nil {
		return "", fmt.Errorf("generate device id: %w", err)
	}
	var from *netip.Addr
	if a.From.IsValid() {
		from = &a.From
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
		insert into agent (record_id, agent_id, enrolled_with, certificate_expires_at, serial_number, hostname, address,
			approved_at)
		select id, @agent::uuid, @token, @expires, @serial, @hostname, @address::inet,
			case when @approved then clock_timestamp() end
		from record`,
		pgx.NamedArgs{
			"source": inventory.SourceAgent, "key": a.Key[:], "agent": id, "base_class": inventory.ClassComputer,
			"default_ci": defaultCI, "forked_from": a.forkedFrom, "token": a.token, "expires": a.Expires,
			"serial": a.SerialNumber, "hostname": a.Hostname, "address": from, "approved": a.approved,
		})
	if err != nil {
		return "", fmt.Errorf("add agent: %w", db.DataError(err))
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
		return "", forbidden("this agent's key was revoked")
	case stale:
		return "", unauthenticated("the agent's certificate expired too long ago: enroll it again")
	}
	return agentID, nil
}

// Fork enrolls the new key of an agent that runs on a clone of the machine of another record. It
// answers one clone that the collector found lately; for any other request, and if the record's
// agent is revoked, it returns an inventory.Error with CodeForbidden.
func (s *Store) Fork(ctx context.Context, from int64, key [32]byte, expires time.Time) (agentID string, err error) {
	err = s.InTx(ctx, func(tx pgx.Tx) error {
		agentID, err = enrolledAgent(ctx, tx, key)
		if agentID != "" || err != nil {
			return err
		}
		// A revocation of the record waits for this lock, and then revokes the fork too.
		var revoked bool
		err := tx.QueryRow(ctx, `
			select revoked_at is not null from agent where record_id = $1 for share`, from).Scan(&revoked)
		if err != nil {
			return fmt.Errorf("find agent: %w", err)
		}
		if revoked {
			return forbidden("this agent's key was revoked")
		}
		answered, err := tx.Exec(ctx, `
			update sync_incident set answered_at = clock_timestamp()
			where record_id = $1 and at = (
				select at from sync_incident
				where record_id = $1 and type = $2 and answered_at is null
					and at > clock_timestamp() - $3::interval
				order by at
				limit 1
				for update
			)`, from, inventory.IncidentClone, rekeyWithin)
		if err != nil {
			return fmt.Errorf("answer incident: %w", err)
		}
		if answered.RowsAffected() == 0 {
			return forbidden("the collector did not ask this agent for a new key")
		}
		agentID, err = addAgent(ctx, tx, newAgent{
			Enrollment: inventory.Enrollment{Key: key, Expires: expires}, forkedFrom: &from, approved: true,
		})
		return err
	})
	return agentID, err
}

// rekeyWithin is how long after a clone was found it may get a key of its own. It asks at once.
const rekeyWithin = time.Hour

// WasAbandoned reports whether a token was the ratchet's when the agent was found rolled back. The
// machine that still has it was not rolled back: it and the other one are copies.
func (s *Store) WasAbandoned(ctx context.Context, record int64, tokenHash string) (bool, error) {
	var abandoned bool
	err := s.Pool.QueryRow(ctx, `
		select exists (
			select from sync_incident where record_id = $1 and type = $2 and detail ->> $3 = $4
		)`, record, inventory.IncidentRollback, inventory.DetailAbandoned, tokenHash).Scan(&abandoned)
	if err != nil {
		return false, fmt.Errorf("find abandoned token: %w", err)
	}
	return abandoned, nil
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
