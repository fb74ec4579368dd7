package store

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/musterhq/muster/internal/inventory"
)

// Commit applies a group of changes in one transaction and says when each was applied. Several changes of one
// record may not be in one group. A change that is relative to a version which is no longer the record's is left
// out, and so is one of a revoked agent: the caller looks again and decides anew.
func (s *Store) Commit(ctx context.Context, changes []inventory.Change) (map[int64]time.Time, error) {
	if err := s.ensurePartitions(ctx); err != nil {
		return nil, err
	}
	// Numbers of new sections are made outside of the transaction, so that it holds no lock that others need.
	for _, c := range changes {
		for _, section := range c.Sections {
			if _, err := s.sectionID(ctx, section.State.Section); err != nil {
				return nil, err
			}
		}
	}
	var applied map[int64]time.Time
	err := s.inTx(ctx, func(tx pgx.Tx) error {
		var err error
		if applied, err = fence(ctx, tx, changes); err != nil {
			return err
		}
		batch := &pgx.Batch{}
		if err := s.queue(batch, changes, applied); err != nil {
			return err
		}
		if batch.Len() == 0 {
			return nil
		}
		if err := tx.SendBatch(ctx, batch).Close(); err != nil {
			return fmt.Errorf("apply changes: %w", err)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return applied, nil
}

// fenceRecords locks the records in one order, so that groups of several collectors cannot deadlock, and moves
// those on that are still at the expected version. Time is the database's, and never stands still for a record.
const fenceRecords = `
	with wanted as (
		select * from unnest($1::bigint[], $2::bigint[], $3::bytea[], $4::bytea[], $5::bytea[], $6::text[], $7::text[], $8::jsonb[])
			w (record_id, version, root, token, previous_token, boot_id, agent_version, hardware)
	), locked as (
		select a.record_id
		from agent a join wanted w on w.record_id = a.record_id and w.version = a.version
		where a.revoked_at is null
		order by a.record_id
		for update of a
	)
	update agent a set
		version        = a.version + 1,
		changed_at     = greatest(date_trunc('microseconds', clock_timestamp()), a.changed_at + interval '1 microsecond'),
		inventory_root = w.root,
		previous_token = w.previous_token,
		token          = w.token,
		token_at       = clock_timestamp(),
		boot_id        = w.boot_id,
		agent_version  = w.agent_version,
		hardware       = w.hardware,
		seen_at        = clock_timestamp()
	from locked l join wanted w on w.record_id = l.record_id
	where a.record_id = l.record_id
	returning a.record_id, a.changed_at`

func fence(ctx context.Context, tx pgx.Tx, changes []inventory.Change) (map[int64]time.Time, error) {
	var (
		n             = len(changes)
		records       = make([]int64, n)
		versions      = make([]int64, n)
		roots, tokens = make([][]byte, n), make([][]byte, n)
		previous      = make([][]byte, n)
		boots, agents = make([]string, n), make([]string, n)
		hardware      = make([]string, n)
	)
	for i, c := range changes {
		records[i], versions[i] = c.Record, c.Version
		roots[i], tokens[i], previous[i] = c.Root[:], c.Token, c.Previous
		boots[i], agents[i] = c.BootID, c.Agent
		encoded, err := encodeHardware(c.Hardware)
		if err != nil {
			return nil, err
		}
		hardware[i] = string(encoded)
	}
	rows, err := tx.Query(ctx, fenceRecords, records, versions, roots, tokens, previous, boots, agents, hardware)
	if err != nil {
		return nil, fmt.Errorf("fence records: %w", err)
	}
	applied := make(map[int64]time.Time, n)
	var record int64
	var at time.Time
	_, err = pgx.ForEachRow(rows, []any{&record, &at}, func() error {
		applied[record] = at
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("fence records: %w", err)
	}
	return applied, nil
}

// queue writes down the statements for the changes that passed the fence: one for each table that has something
// to say, whatever the number of machines.
func (s *Store) queue(batch *pgx.Batch, changes []inventory.Change, applied map[int64]time.Time) error {
	var (
		devices  deviceRows
		states   stateRows
		sets     setRows
		counts   = newCountChanges()
		readings readingRows
	)
	for _, c := range changes {
		at, ok := applied[c.Record]
		if !ok {
			continue
		}
		if err := devices.add(c, at); err != nil {
			return err
		}
		for _, change := range c.Sections {
			id := s.sections.get(change.State.Section)
			if err := states.add(c.Record, id, at, change); err != nil {
				return err
			}
			sets.add(c.Record, id, at, change)
			readings.add(s.readings, c.Record, id, at, change)
			counts.add(change)
		}
	}
	devices.queue(batch)
	states.queue(batch)
	sets.queue(batch)
	readings.queue(batch)
	counts.queue(batch)
	return nil
}
