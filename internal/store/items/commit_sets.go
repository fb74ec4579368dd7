package items

import (
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/musterhq/muster/internal/inventory"
)

// slices of ids of different lengths have no array type of their own: they travel as one flat array and bounds.
type idLists struct {
	flat     []inventory.ItemID
	from, to []int32 // 1-based, inclusive, as SQL slices are
}

func (l *idLists) add(ids []inventory.ItemID) {
	l.from = append(l.from, int32(len(l.flat)+1)) //nolint:gosec // a group holds far fewer
	l.flat = append(l.flat, ids...)
	l.to = append(l.to, int32(len(l.flat))) //nolint:gosec // a group holds far fewer
}

// setRows gathers the sets and events of a group.
type setRows struct {
	clearRecords  []int64 // whole sections that are laid out anew
	clearSections []int16

	records  []int64
	sections []int16
	buckets  []int16
	ids      idLists

	emptyRecords  []int64
	emptySections []int16
	emptyBuckets  []int16

	eventRecords  []int64
	eventSections []int16
	eventAt       []time.Time
	old, new      idLists
}

func (r *setRows) add(record int64, section int16, at time.Time, c inventory.SectionChange) {
	if c.Rebucket {
		r.clearRecords, r.clearSections = append(r.clearRecords, record), append(r.clearSections, section)
	}
	for _, b := range c.Buckets {
		number := int16(b.Number) //nolint:gosec // few buckets
		if len(b.IDs) == 0 {
			r.emptyRecords, r.emptySections = append(r.emptyRecords, record), append(r.emptySections, section)
			r.emptyBuckets = append(r.emptyBuckets, number)
			continue
		}
		r.records, r.sections, r.buckets = append(r.records, record), append(r.sections, section), append(r.buckets, number)
		r.ids.add(b.IDs)
	}
	if len(c.Events) == 0 {
		return
	}
	before, after := make([]inventory.ItemID, len(c.Events)), make([]inventory.ItemID, len(c.Events))
	for i, e := range c.Events {
		before[i], after[i] = e.Old, e.New
	}
	r.eventRecords, r.eventSections = append(r.eventRecords, record), append(r.eventSections, section)
	r.eventAt = append(r.eventAt, at)
	r.old.add(before)
	r.new.add(after)
}

func (r *setRows) queue(batch *pgx.Batch) {
	if len(r.clearRecords) > 0 {
		batch.Queue(`
			delete from item_set i
			using unnest($1::bigint[], $2::smallint[]) n (record_id, section_id)
			where i.record_id = n.record_id and i.section_id = n.section_id`, r.clearRecords, r.clearSections)
	}
	if len(r.emptyRecords) > 0 {
		batch.Queue(`
			delete from item_set i
			using unnest($1::bigint[], $2::smallint[], $3::smallint[]) n (record_id, section_id, bucket)
			where i.record_id = n.record_id and i.section_id = n.section_id and i.bucket = n.bucket`,
			r.emptyRecords, r.emptySections, r.emptyBuckets)
	}
	if len(r.records) > 0 {
		batch.Queue(`
			insert into item_set (record_id, section_id, bucket, ids)
			select n.record_id, n.section_id, n.bucket, ($6::integer[])[n.first:n.last]
			from unnest($1::bigint[], $2::smallint[], $3::smallint[], $4::integer[], $5::integer[])
				n (record_id, section_id, bucket, first, last)
			on conflict (record_id, section_id, bucket) do update set ids = excluded.ids`,
			r.records, r.sections, r.buckets, r.ids.from, r.ids.to, r.ids.flat)
	}
	if len(r.eventRecords) > 0 {
		batch.Queue(`
			insert into item_event (record_id, section_id, at, old_items, new_items)
			select n.record_id, n.section_id, n.at, ($6::integer[])[n.first:n.last], ($7::integer[])[n.first:n.last]
			from unnest($1::bigint[], $2::smallint[], $3::timestamptz[], $4::integer[], $5::integer[])
				n (record_id, section_id, at, first, last)`,
			r.eventRecords, r.eventSections, r.eventAt, r.old.from, r.old.to, r.old.flat, r.new.flat)
	}
}

// readingRows gathers the readings of a group.
type readingRows struct {
	records  []int64
	sections []int16
	at       []time.Time
	payloads [][]byte
	all      []bool
	replaces bool
}

func (r *readingRows) add(codec *ReadingCodec, record int64, section int16, at time.Time, c inventory.SectionChange) {
	if len(c.Readings) == 0 {
		return
	}
	r.records, r.sections, r.at = append(r.records, record), append(r.sections, section), append(r.at, at)
	r.payloads, r.all = append(r.payloads, codec.encode(c.Readings)), append(r.all, c.AllReadings)
	r.replaces = r.replaces || c.AllReadings && !c.First
}

func (r *readingRows) queue(batch *pgx.Batch) {
	if len(r.records) == 0 {
		return
	}
	if r.replaces {
		batch.Queue(`
			delete from reading r
			using unnest($1::bigint[], $2::smallint[], $3::boolean[]) n (record_id, section_id, whole)
			where r.record_id = n.record_id and r.section_id = n.section_id and n.whole`, r.records, r.sections, r.all)
	}
	batch.Queue(`
		insert into reading (record_id, section_id, at, payload)
		select * from unnest($1::bigint[], $2::smallint[], $3::timestamptz[], $4::bytea[])`,
		r.records, r.sections, r.at, r.payloads)
}
