package agents

import (
	"context"
	"fmt"

	"github.com/musterhq/muster/internal/store/db"
)

// DeviceOfAgent returns the id of the device that an agent runs on.
func (s *Store) DeviceOfAgent(ctx context.Context, agentID string) (string, error) {
	var id string
	err := s.Pool.QueryRow(ctx, `
		select m.ci_id::text
		from agent a join assignment m on m.record_id = a.record_id
		where a.agent_id = $1 and m.valid_to = 'infinity'`, agentID).Scan(&id)
	if db.IsNoRows(err) {
		return "", db.NotFound("there is no device with agent %s", agentID)
	}
	if err != nil {
		return "", fmt.Errorf("find device of agent: %w", err)
	}
	return id, nil
}
