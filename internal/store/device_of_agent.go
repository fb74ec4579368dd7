package store

import (
	"context"
	"fmt"

	"github.com/musterhq/muster/internal/inventory"
)

// DeviceOfAgent gives the id of the device that an agent reports from.
func (s *Store) DeviceOfAgent(ctx context.Context, agentID string) (string, error) {
	var id string
	err := s.pool.QueryRow(ctx, `
		select r.ci_id::text
		from agent a join source_record r on r.id = a.record_id
		where a.agent_id = $1 and r.ci_id is not null`, agentID).Scan(&id)
	if isNoRows(err) {
		return "", &inventory.Error{Code: inventory.CodeNotFound, Message: "no device reports through agent " + agentID}
	}
	if err != nil {
		return "", fmt.Errorf("find device of agent: %w", err)
	}
	return id, nil
}
