package agents

import (
	"context"
	"crypto/subtle"
	"fmt"

	"github.com/google/uuid"

	"github.com/musterhq/muster/internal/inventory"
	"github.com/musterhq/muster/internal/store/db"
)

// CreateAPIToken stores a token as its hash.
func (s *Store) CreateAPIToken(ctx context.Context, name string, hash [32]byte) (inventory.APIToken, error) {
	token := inventory.APIToken{Name: name}
	id, err := uuid.NewV7()
	if err != nil {
		return token, fmt.Errorf("generate token id: %w", err)
	}
	token.ID = id.String()
	err = s.Pool.QueryRow(ctx, `
		insert into api_token (id, name, hash) values ($1, $2, $3) returning created_at`, id, name, hash[:]).
		Scan(&token.CreatedAt)
	if err != nil {
		return token, fmt.Errorf("create API token: %w", err)
	}
	return token, nil
}

// APIToken returns the token with a hash. It reports false if there is none or it is revoked.
func (s *Store) APIToken(ctx context.Context, hash [32]byte) (inventory.APIToken, bool, error) {
	var token inventory.APIToken
	var found []byte
	err := s.Pool.QueryRow(ctx, `
		select id::text, name, created_at, hash from api_token where hash = $1 and revoked_at is null`, hash[:]).
		Scan(&token.ID, &token.Name, &token.CreatedAt, &found)
	if db.IsNoRows(err) {
		return token, false, nil
	}
	if err != nil {
		return token, false, fmt.Errorf("find API token: %w", err)
	}
	return token, subtle.ConstantTimeCompare(found, hash[:]) == 1, nil
}

// RevokeAPIToken revokes a token now. A revoked token keeps its time.
func (s *Store) RevokeAPIToken(ctx context.Context, id string) error {
	_, err := s.Pool.Exec(ctx, `
		update api_token set revoked_at = coalesce(revoked_at, clock_timestamp()) where id = $1`, id)
	if err != nil {
		return fmt.Errorf("revoke API token: %w", err)
	}
	return nil
}
