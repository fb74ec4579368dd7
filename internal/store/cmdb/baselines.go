package cmdb

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/musterhq/muster/internal/inventory"
	"github.com/musterhq/muster/internal/store/db"
)

const selectBaselines = `
	select id::text, name, at, class, created_at, created_by from baseline`

// Baselines lists the baselines, the earliest instant first.
func (s *Store) Baselines(ctx context.Context) ([]inventory.Baseline, error) {
	return db.Collect[inventory.Baseline](ctx, s.Pool, "read baselines", selectBaselines+` order by at, name`)
}

// Baseline gives one baseline.
func (s *Store) Baseline(ctx context.Context, id string) (inventory.Baseline, error) {
	var baseline inventory.Baseline
	err := s.Read(ctx, func(tx pgx.Tx) error {
		var found bool
		var err error
		baseline, found, err = db.One[inventory.Baseline](ctx, tx, selectBaselines+` where id = @id`, pgx.NamedArgs{"id": id})
		if err != nil {
			return fmt.Errorf("read baseline: %w", err)
		}
		if !found {
			return db.NotFound("there is no baseline %s", id)
		}
		return nil
	})
	return baseline, err
}

// CreateBaseline gives an instant a name. A zero instant is now, and one of the future is an inventory.Error with
// CodeInvalid: what is named is there and stays as it is. A name that is taken is one with CodeConflict. ID and
// CreatedAt are not used.
func (s *Store) CreateBaseline(ctx context.Context, b inventory.Baseline) (inventory.Baseline, error) {
	if b.Name == "" || len(b.Name) > 200 {
		return b, db.Invalid("a baseline needs a name of at most 200 bytes")
	}
	now, err := s.Now(ctx)
	if err != nil {
		return b, err
	}
	if b.At.IsZero() {
		b.At = now
	}
	if b.At.After(now) {
		return b, db.Invalid("%s is in the future", b.At.UTC().Format(time.RFC3339))
	}
	if err := s.WaitUntilVisible(ctx, b.At); err != nil {
		return b, err
	}
	id, err := uuid.NewV7()
	if err != nil {
		return b, fmt.Errorf("make id of baseline: %w", err)
	}
	b.ID = id.String()
	err = s.InTx(ctx, func(tx pgx.Tx) error {
		if _, err := ClassAndBelow(ctx, tx, b.Class); err != nil {
			return err
		}
		err := tx.QueryRow(ctx, `
			insert into baseline (id, name, at, class, created_at, created_by)
			values ($1, $2, $3, $4, clock_timestamp(), $5)
			returning at, created_at`, id, b.Name, b.At, b.Class, b.CreatedBy).Scan(&b.At, &b.CreatedAt)
		if db.IsTaken(err) {
			return db.Conflict("there is a baseline %q already", b.Name)
		}
		if err != nil {
			return fmt.Errorf("create baseline: %w", err)
		}
		return nil
	})
	return b, err
}

// DeleteBaseline takes the name from an instant. What was then can be asked for as before.
func (s *Store) DeleteBaseline(ctx context.Context, id string) error {
	deleted, err := s.Pool.Exec(ctx, `delete from baseline where id = $1`, id)
	if err != nil {
		return fmt.Errorf("delete baseline: %w", db.DataError(err))
	}
	if deleted.RowsAffected() == 0 {
		return db.NotFound("there is no baseline %s", id)
	}
	return nil
}
