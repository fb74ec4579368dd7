package items

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/musterhq/muster/internal/inventory"
	"github.com/musterhq/muster/internal/store/db"
)

// Change is what an observation changes for a record.
type Change struct {
	inventory.Change

	Held *Holding // before the change, at least in the sections whose items change

	// Set by Prepare:
	rows     map[int16]Difference // of item_set, by section, as they are afterwards
	readings []byte               // the payload of its readings; nil: it has none
}

// Prepare creates the partitions, section ids and bases that Write needs. It runs before the
// transaction, which then holds no lock that other groups need.
func (s *Store) Prepare(ctx context.Context, changes []*Change) error {
	if err := s.EnsurePartitions(ctx); err != nil {
		return err
	}
	for _, c := range changes {
		for _, section := range c.Sections {
			if _, err := s.sectionID(ctx, section.State.Section); err != nil {
				return err
			}
		}
	}
	if err := s.encodeRows(ctx, changes); err != nil {
		return err
	}
	return s.encodeReadings(ctx, changes)
}

// encodeReadings encodes the payloads of the changes.
func (s *Store) encodeReadings(ctx context.Context, changes []*Change) error {
	first, err := s.firstReadingsOf(ctx, changes)
	if err != nil {
		return err
	}
	for _, c := range changes {
		var readings []inventory.Reading
		for _, section := range c.Sections {
			readings = append(readings, section.Readings...)
		}
		if len(readings) > 0 {
			c.readings = s.readings.encode(readings, first)
		}
	}
	return nil
}

// encodeRows encodes the rows of item_set that the changes rewrite.
func (s *Store) encodeRows(ctx context.Context, changes []*Change) error {
	if err := s.refreshBases(ctx); err != nil {
		return err
	}
	for _, c := range changes {
		c.rows = c.Held.changedRows(s.sections, c.Sections)
		for _, section := range slices.Sorted(maps.Keys(c.rows)) {
			d, err := s.choose(ctx, Row{Record: c.Record, Section: section}, c.rows[section])
			if err != nil {
				return err
			}
			c.rows[section] = d
		}
	}
	return nil
}

// Write writes the sets, events, states and readings of the changes that passed the fence.
func (s *Store) Write(ctx context.Context, tx pgx.Tx, changes []*Change, applied map[int64]time.Time) error {
	primary, err := primaryRecords(ctx, tx, slices.Collect(maps.Keys(applied)))
	if err != nil {
		return err
	}
	batch := &pgx.Batch{}
	if err := s.queue(batch, changes, applied, primary); err != nil {
		return err
	}
	if batch.Len() == 0 {
		return nil
	}
	if err := tx.SendBatch(ctx, batch).Close(); err != nil {
		return fmt.Errorf("apply changes: %w", err)
	}
	return nil
}

// fenceRecords locks the records in the order of their ids, so that groups of several collectors
// cannot deadlock, and increments the version of those that have the expected one. changed_at is
// the database's clock, and always later than before.
const fenceRecords = `
	with wanted as (
		select * from unnest($1::bigint[], $2::bigint[], $3::bytea[], $4::bytea[], $5::bytea[], $6::text[],
			$7::text[], $8::jsonb[])
			w (record_id, version, root, token, previous_token, boot_id, program, hardware)
	), locked as (
		select r.id
		from source_record r join wanted w on w.record_id = r.id and w.version = r.version
		where not exists (select from agent a where a.record_id = r.id and a.revoked_at is not null)
		order by r.id
		for update of r
	)
	update source_record r set
		version        = r.version + 1,
		changed_at     = greatest(date_trunc('microseconds', clock_timestamp()),
			r.changed_at + interval '1 microsecond'),
		inventory_root = w.root,
		previous_token = w.previous_token,
		token          = w.token,
		token_at       = clock_timestamp(),
		boot_id        = w.boot_id,
		program        = w.program,
		hardware       = w.hardware,
		seen_at        = case when r.source = 'agent' then clock_timestamp() else r.seen_at end
	from locked l join wanted w on w.record_id = l.id
	where r.id = l.id
	returning r.id, r.changed_at`

// Fence locks the records of a group and increments the version of those that still have the
// version that their change is relative to. It returns the instant of each change that applies. A
// change to an older version, or of a revoked agent, is not among them: the caller reads the record
// again. A group has one change per record.
func Fence(ctx context.Context, tx pgx.Tx, changes []*Change) (map[int64]time.Time, error) {
	var (
		n                  = len(changes)
		records            = make([]int64, n)
		versions           = make([]int64, n)
		roots, identifiers = make([][]byte, n), make([][]byte, n)
		previous           = make([][]byte, n)
		boots, programs    = make([]string, n), make([]string, n)
		hardware           = make([]string, n)
	)
	for i, c := range changes {
		records[i], versions[i] = c.Record, c.Version
		roots[i], identifiers[i], previous[i] = c.Root[:], c.Token, c.Previous
		boots[i], programs[i] = c.BootID, c.Program
		encoded, err := db.EncodeHashes(c.Hardware)
		if err != nil {
			return nil, err
		}
		hardware[i] = string(encoded)
	}
	rows, err := tx.Query(ctx, fenceRecords, records, versions, roots, identifiers, previous, boots, programs, hardware)
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

// primaryRecords returns the records whose items count. It runs under the lock of the records,
// which every transaction takes that changes the answer.
func primaryRecords(ctx context.Context, tx pgx.Tx, records []int64) (map[int64]bool, error) {
	rows, err := tx.Query(ctx, `
		select record_id from assignment where record_id = any($1) and valid_to = 'infinity' and is_primary`, records)
	if err != nil {
		return nil, fmt.Errorf("find shown records: %w", err)
	}
	primary := make(map[int64]bool, len(records))
	var record int64
	_, err = pgx.ForEachRow(rows, []any{&record}, func() error {
		primary[record] = true
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("find shown records: %w", err)
	}
	return primary, nil
}

// queue queues the statements for the changes that passed the fence: one per table that changes,
// whatever the number of machines.
func (s *Store) queue(batch *pgx.Batch, changes []*Change, applied map[int64]time.Time, primary map[int64]bool) error {
	var (
		incidents incidentRows
		states    stateRows
		sets      setRows
		counts    = newCountChanges()
		readings  readingRows
	)
	for _, c := range changes {
		at, ok := applied[c.Record]
		if !ok {
			continue
		}
		if err := incidents.add(c.Change, at); err != nil {
			return err
		}
		sets.add(c.Record, c.rows)
		readings.add(s.sections, at, c)
		for _, change := range c.Sections {
			id := s.sections.get(change.State.Section)
			if err := states.add(c.Record, id, at, change); err != nil {
				return err
			}
			sets.addEvents(c.Record, id, at, change)
			if primary[c.Record] {
				counts.add(change, c.rows[id])
			}
		}
	}
	incidents.queue(batch)
	states.queue(batch)
	sets.queue(batch)
	readings.queue(batch)
	counts.queue(batch)
	return nil
}
