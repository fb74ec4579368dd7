package agents

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/musterhq/muster/internal/inventory"
	"github.com/musterhq/muster/internal/store/db"
)

// CreateEnrollmentToken stores a token as its hash, and returns it with its id and times.
func (s *Store) CreateEnrollmentToken(
	ctx context.Context, token inventory.EnrollmentToken, hash [32]byte,
) (inventory.EnrollmentToken, error) {
	id, err := uuid.NewV7()
	if err != nil {
		return token, fmt.Errorf("generate token id: %w", err)
	}
	token.ID, token.Approval = id.String(), cmp.Or(token.Approval, inventory.ApprovalAutomatic)
	serials := make([]string, len(token.SerialNumbers))
	for i, serial := range token.SerialNumbers {
		serials[i] = foldSerial(serial)
	}
	token.SerialNumbers = serials
	err = s.Pool.QueryRow(ctx, `
		with uses as (
			insert into enrollment_token_uses (token_id, part, remaining)
			select @id, part, @max_uses::integer / parts + (part < @max_uses % parts)::integer
			from (select least(16, @max_uses::integer) as parts) p cross join generate_series(0, parts - 1) part
		)
		insert into enrollment_token (id, name, hash, max_uses, network, approval, serial_numbers, expires_at)
		values (@id, @name, @hash, @max_uses, nullif(@network, '')::cidr, @approval, @serials, @expires_at)
		returning created_at, expires_at`, pgx.NamedArgs{
		"id": id, "name": token.Name, "hash": hash[:], "max_uses": token.MaxUses, "network": token.Network,
		"expires_at": token.ExpiresAt, "approval": token.Approval, "serials": token.SerialNumbers,
	}).Scan(&token.CreatedAt, &token.ExpiresAt)
	if err != nil {
		return token, fmt.Errorf("create enrollment token: %w", db.DataError(err))
	}
	return token, nil
}

// ListEnrollmentTokens lists the enrollment tokens in the order of their creation, used up, expired
// and revoked ones included. For the past, the uses are the agents that had enrolled by then.
func (s *Store) ListEnrollmentTokens(
	ctx context.Context, page inventory.Page, visit inventory.Visit[inventory.EnrollmentToken],
) error {
	after, err := db.UUIDPosition(page.After)
	if err != nil {
		return err
	}
	uses := `(
			select t.max_uses - sum(u.remaining) from enrollment_token_uses u where u.token_id = t.id
		)::integer as uses`
	if !page.AsOf.IsZero() {
		uses = `(
			select count(*) from agent a join source_record r on r.id = a.record_id
			where a.enrolled_with = t.id and r.created_at <= @as_of
		)::integer as uses`
	}
	// Ids are UUIDs of version 7 (RFC 9562 §5.7), which sort by time.
	sql := `
		select t.id::text, t.name, t.max_uses, ` + uses + `, coalesce(t.network::text, '') as network, t.approval,
		       t.serial_numbers, t.created_at,
		       t.expires_at, case when t.revoked_at <= @as_of then t.revoked_at end as revoked_at
		from enrollment_token t
		where t.created_at <= @as_of and t.id > @after
		order by t.id
		limit @limit`
	args := pgx.NamedArgs{"as_of": db.Instant(page), "after": after, "limit": db.Limit(page)}
	return s.List(ctx, page, func(tx pgx.Tx) error {
		return db.ForEach(ctx, tx, "list enrollment tokens", sql, args, func(token inventory.EnrollmentToken) error {
			return visit(token, inventory.Position{token.ID})
		})
	})
}

// RevokeEnrollmentToken revokes a token now. A revoked token keeps its time.
func (s *Store) RevokeEnrollmentToken(ctx context.Context, id string) error {
	var revoked time.Time
	err := s.Pool.QueryRow(ctx, `
		update enrollment_token set revoked_at = coalesce(revoked_at, clock_timestamp())
		where id = $1
		returning revoked_at`, id).Scan(&revoked)
	if db.IsNoRows(err) {
		return db.NotFound("there is no enrollment token %s", id)
	}
	if err != nil {
		return fmt.Errorf("revoke enrollment token: %w", err)
	}
	return nil
}

// EnrollmentTokenHashes returns the hashes of all enrollment tokens, also of those that are used
// up, expired or revoked: Enroll explains why they are rejected.
func (s *Store) EnrollmentTokenHashes(ctx context.Context) ([][32]byte, error) {
	rows, err := db.Column[[]byte](ctx, s.Pool, "read enrollment tokens", `select hash from enrollment_token`)
	if err != nil {
		return nil, err
	}
	hashes := make([][32]byte, len(rows))
	for i, row := range rows {
		copy(hashes[i][:], row)
	}
	return hashes, nil
}
