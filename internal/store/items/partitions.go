package items

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
)

// partitionClock is the last month whose partitions are known to exist.
type partitionClock struct{ month atomic.Int64 }

// EnsurePartitions creates the partitions of item_event for last month, this month and the next
// one, because the clocks of this program and of the database may differ at midnight.
func (s *Store) EnsurePartitions(ctx context.Context) error {
	now := time.Now().UTC()
	month := int64(now.Year()*12 + int(now.Month()))
	if s.partitions.month.Load() == month {
		return nil
	}
	first := time.Date(now.Year(), now.Month(), 1, 0, 0, 0, 0, time.UTC)
	for _, offset := range []int{-1, 0, 1} {
		if err := s.EnsurePartition(ctx, first.AddDate(0, offset, 0)); err != nil {
			return err
		}
	}
	s.partitions.month.Store(month)
	return nil
}

// EnsurePartition makes the partition of item_event for the month that begins at an instant.
func (s *Store) EnsurePartition(ctx context.Context, from time.Time) error {
	name := fmt.Sprintf("item_event_%04d_%02d", from.Year(), int(from.Month()))
	var exists bool
	if err := s.Pool.QueryRow(ctx, `select to_regclass($1) is not null`, name).Scan(&exists); err != nil {
		return fmt.Errorf("find partition %s: %w", name, err)
	}
	if exists {
		return nil
	}
	err := s.InTx(ctx, func(tx pgx.Tx) error {
		// Two collectors that create one table at the same moment would both fail.
		if _, err := tx.Exec(ctx, `select pg_advisory_xact_lock(hashtext('muster partitions'))`); err != nil {
			return err
		}
		// Identifiers and bounds of partitions cannot be parameters; these are made of numbers
		// only.
		_, err := tx.Exec(ctx, fmt.Sprintf(
			`create table if not exists %s partition of item_event for values from ('%s') to ('%s')`,
			name, from.Format(time.RFC3339), from.AddDate(0, 1, 0).Format(time.RFC3339)))
		return err
	})
	if err != nil {
		return fmt.Errorf("make partition %s: %w", name, err)
	}
	return nil
}
