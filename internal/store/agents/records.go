package agents

import (
	"context"
	"fmt"
	"time"

	"github.com/musterhq/muster/internal/inventory"
	"github.com/musterhq/muster/internal/store/db"
)

// Record returns the record of an agent by the hash of its public key. For a key that is not
// enrolled it returns an inventory.Error with CodeUnauthenticated.
func (s *Store) Record(ctx context.Context, key [32]byte) (inventory.Record, error) {
	return s.record(ctx, `r.source = $1 and r.native_key = $2`, inventory.SourceAgent, key[:])
}

// RecordByID returns a record by its id.
func (s *Store) RecordByID(ctx context.Context, id int64) (inventory.Record, error) {
	return s.record(ctx, `r.id = $1`, id)
}

func (s *Store) record(ctx context.Context, where string, args ...any) (inventory.Record, error) {
	var (
		r        inventory.Record
		root     []byte
		hardware []byte
		tokenAt  *time.Time
	)
	err := s.Pool.QueryRow(ctx, `
		select r.id, coalesce(a.agent_id::text, ''), coalesce(m.ci_id::text, ''), r.liveness_dependent,
		       a.record_id is not null and a.approved_at is null, a.revoked_at,
		       r.version, r.inventory_root, r.token, r.previous_token, r.token_at, r.boot_id, r.program, r.hardware
		from source_record r
		left join agent a on a.record_id = r.id
		left join assignment m on m.record_id = r.id and m.valid_to = 'infinity'
		where `+where, args...).Scan(&r.ID, &r.AgentID, &r.CI, &r.LivenessDependent, &r.Pending, &r.RevokedAt,
		&r.Version, &root, &r.Token, &r.PreviousToken, &tokenAt, &r.BootID, &r.Program, &hardware)
	if db.IsNoRows(err) {
		return r, &inventory.Error{Code: inventory.CodeUnauthenticated, Message: "this agent is not enrolled"}
	}
	if err != nil {
		return r, fmt.Errorf("read record: %w", err)
	}
	copy(r.Root[:], root)
	if tokenAt != nil {
		r.TokenAt = *tokenAt
	}
	r.Hardware, err = db.DecodeHashes(hardware)
	return r, err
}
