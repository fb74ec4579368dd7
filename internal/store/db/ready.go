package db

import (
	"context"
	"fmt"

	"github.com/musterhq/muster/internal/inventory"
)

// Ready reports why the database should get no requests: it does not answer, or its schema is not the one that
// this program was made for.
func (s *DB) Ready(ctx context.Context) error {
	want, err := SchemaVersion()
	if err != nil {
		return err
	}
	var have int64
	if err := s.Pool.QueryRow(ctx, `select coalesce(max(version_id), 0) from goose_db_version where is_applied`).Scan(&have); err != nil {
		return &inventory.Error{Code: inventory.CodeUnavailable, Message: "the database does not answer"}
	}
	if have != want {
		return &inventory.Error{
			Code: inventory.CodeUnavailable, Message: fmt.Sprintf("the database's schema is version %d, this program's %d", have, want),
		}
	}
	return nil
}
