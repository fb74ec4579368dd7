package agents

import (
	"context"
	"fmt"
	"time"

	"github.com/musterhq/muster/internal/inventory"
	"github.com/musterhq/muster/internal/store/db"
)

// FlushPresence stores when records were last seen, in one statement. A collector whose clock is
// fast stores the database's present, and what one stored before its clock was corrected does not
// stay.
func (s *Store) FlushPresence(ctx context.Context, seen []inventory.Presence) error {
	records, at, streams := make([]int64, len(seen)), make([]time.Time, len(seen)), make([][16]byte, len(seen))
	for i, p := range seen {
		records[i], at[i], streams[i] = p.Record, p.SeenAt, p.Stream
	}
	_, err := s.Pool.Exec(ctx, `
		insert into presence as p (record_id, seen_at, stream)
		select n.record_id, least(n.seen_at, clock_timestamp()), n.stream
		from unnest($1::bigint[], $2::timestamptz[], $3::uuid[]) n (record_id, seen_at, stream)
		order by n.record_id
		on conflict (record_id) do update set seen_at = excluded.seen_at, stream = excluded.stream
		where p.seen_at <= excluded.seen_at or p.seen_at > clock_timestamp()`, records, at, streams)
	if err != nil {
		return fmt.Errorf("flush presence: %w", err)
	}
	return nil
}

// LastPresence returns the last flushed presence of a record. It reports false if there is none.
func (s *Store) LastPresence(ctx context.Context, record int64) (inventory.Presence, bool, error) {
	p := inventory.Presence{Record: record}
	err := s.Pool.QueryRow(ctx, `select seen_at, stream from presence where record_id = $1`, record).
		Scan(&p.SeenAt, &p.Stream)
	if db.IsNoRows(err) {
		return p, false, nil
	}
	if err != nil {
		return p, false, fmt.Errorf("read presence: %w", err)
	}
	return p, true, nil
}
