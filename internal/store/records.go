package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/musterhq/muster/internal/inventory"
)

// sourceAgent is the source of the records that our own agents make.
const sourceAgent = "agent"

// Record finds the record of an agent by the hash of its public key. A key that nobody enrolled is an
// inventory.Error with CodeUnauthenticated.
func (s *Store) Record(ctx context.Context, key [32]byte) (inventory.Record, error) {
	return s.record(ctx, `r.source = $1 and r.native_key = $2`, sourceAgent, key[:])
}

// RecordByID finds a record by its id.
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
	err := s.pool.QueryRow(ctx, `
		select r.id, coalesce(a.agent_id::text, ''), coalesce(m.ci_id::text, ''), r.liveness_dependent, a.revoked_at, r.version,
		       r.inventory_root, r.token, r.previous_token, r.token_at, r.boot_id, r.program, r.hardware
		from source_record r
		left join agent a on a.record_id = r.id
		left join assignment m on m.record_id = r.id and m.valid_to = 'infinity'
		where `+where, args...).Scan(&r.ID, &r.AgentID, &r.CI, &r.LivenessDependent, &r.RevokedAt, &r.Version, &root,
		&r.Token, &r.PreviousToken, &tokenAt, &r.BootID, &r.Program, &hardware)
	if errors.Is(err, pgx.ErrNoRows) {
		return r, &inventory.Error{Code: inventory.CodeUnauthenticated, Message: "this agent is not enrolled"}
	}
	if err != nil {
		return r, fmt.Errorf("read record: %w", err)
	}
	copy(r.Root[:], root)
	if tokenAt != nil {
		r.TokenAt = *tokenAt
	}
	r.Hardware, err = decodeHardware(hardware)
	return r, err
}

// SectionStates gives what is held of each section of a record.
func (s *Store) SectionStates(ctx context.Context, record int64) (map[string]inventory.SectionState, error) {
	rows, err := s.pool.Query(ctx, `
		select n.name, s.root, s.superset, s.status, s.message, s.items, s.buckets, s.verdicts
		from section_state s join section n on n.id = s.section_id
		where s.record_id = $1`, record)
	if err != nil {
		return nil, fmt.Errorf("read section states: %w", err)
	}
	states := map[string]inventory.SectionState{}
	var state inventory.SectionState
	var root, verdicts []byte
	_, err = pgx.ForEachRow(rows, []any{&state.Section, &root, &state.Superset, &state.Status, &state.Message,
		&state.Items, &state.Buckets, &verdicts}, func() error {
		held := state
		held.Collected = root != nil
		held.Root = inventory.Root{}
		copy(held.Root[:], root)
		if verdicts != nil {
			if err := json.Unmarshal(verdicts, &held.Verdicts); err != nil {
				return err
			}
		}
		states[held.Section] = held
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read section states: %w", err)
	}
	return states, nil
}

// Hashes are 64 bits wide: as JSON numbers they would not survive every reader, so they are hexadecimal text.
func encodeHardware(hardware map[string]uint64) ([]byte, error) {
	text := make(map[string]string, len(hardware))
	for family, hash := range hardware {
		text[family] = strconv.FormatUint(hash, 16)
	}
	return json.Marshal(text)
}

func decodeHardware(encoded []byte) (map[string]uint64, error) {
	var text map[string]string
	if err := json.Unmarshal(encoded, &text); err != nil {
		return nil, fmt.Errorf("read hardware: %w", err)
	}
	hardware := make(map[string]uint64, len(text))
	for family, hash := range text {
		value, err := strconv.ParseUint(hash, 16, 64)
		if err != nil {
			return nil, fmt.Errorf("read hardware: %w", err)
		}
		hardware[family] = value
	}
	return hardware, nil
}
