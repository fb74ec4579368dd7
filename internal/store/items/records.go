package items

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/musterhq/muster/internal/inventory"
)

// SectionStates returns the state of each section of a record.
func (s *Store) SectionStates(ctx context.Context, record int64) (map[string]inventory.SectionState, error) {
	rows, err := s.Pool.Query(ctx, `
		select n.name, s.root, s.superset, s.status, s.message, s.items, s.verdicts
		from section_state s join section n on n.id = s.section_id
		where s.record_id = $1`, record)
	if err != nil {
		return nil, fmt.Errorf("read section states: %w", err)
	}
	states := map[string]inventory.SectionState{}
	var state inventory.SectionState
	var root, verdicts []byte
	_, err = pgx.ForEachRow(rows, []any{&state.Section, &root, &state.Superset, &state.Status, &state.Message,
		&state.Items, &verdicts}, func() error {
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
