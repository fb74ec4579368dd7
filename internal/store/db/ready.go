package db

import (
	"context"
	"fmt"

	"github.com/musterhq/muster/internal/inventory"
)

// Ready returns an inventory.Error with CodeUnavailable if the database does not answer, or if its
// schema version is not that of this program.
func (d *DB) Ready(ctx context.Context) error {
	want, err := SchemaVersion()
	if err != nil {
		return err
	}
	var have int64
	if err := d.Pool.QueryRow(ctx, `select coalesce(max(version_id), 0) from goose_db_version where is_applied`).Scan(&have); err != nil {
		return &inventory.Error{Code: inventory.CodeUnavailable, Message: "the database does not answer"}
	}
	if have != want {
		return &inventory.Error{
			Code: inventory.CodeUnavailable, Message: fmt.Sprintf("the database has schema version %d, this program needs %d", have, want),
		}
	}
	return nil
}
