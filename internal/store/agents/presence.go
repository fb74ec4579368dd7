package agents

import (
	"context"
	"fmt"
	"time"

	"github.com/musterhq/muster/internal/inventory"
	"github.com/musterhq/muster/internal/store/db"
)

// FlushPresence stores when records were last seen, in one statement. It ignores revoked agents. A
// session continues unless the agent was silent or its machine was started anew. A collector whose
// clock is fast stores the database's present, and what one stored before its clock was corrected
// does not stay.
func (s *Store) FlushPresence(ctx context.Context, seen []inventory.Presence) error {
	records, boots := make([]int64, len(seen)), make([]string, len(seen))
	at, until, streams := make([]time.Time, len(seen)), make([]time.Time, len(seen)), make([][16]byte, len(seen))
	for i, p := range seen {
		records[i], boots[i], at[i], until[i], streams[i] = p.Record, p.BootID, p.SeenAt, p.Until, p.Stream
	}
	_, err := s.Pool.Exec(ctx, `
		insert into presence as p (record_id, seen_at, stream, since, until, boot_id)
		select n.record_id, t.seen_at, n.stream, t.seen_at, t.seen_at + (n.until - n.seen_at), n.boot_id
		from unnest($1::bigint[], $2::timestamptz[], $3::uuid[], $4::timestamptz[], $5::text[])
			n (record_id, seen_at, stream, until, boot_id),
			lateral (select least(n.seen_at, clock_timestamp()) as seen_at) t
		where not exists (select from agent a where a.record_id = n.record_id and a.revoked_at is not null)
		order by n.record_id
		on conflict (record_id) do update set
			seen_at = excluded.seen_at, stream = excluded.stream, until = excluded.until, boot_id = excluded.boot_id,
			since = case
				when p.boot_id = excluded.boot_id and excluded.seen_at <= p.until and p.since <= excluded.seen_at
				then p.since
				else excluded.since
			end
		where p.seen_at <= excluded.seen_at or p.seen_at > clock_timestamp()`, records, at, streams, until, boots)
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
