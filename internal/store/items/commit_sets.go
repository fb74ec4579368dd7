package items

import (
	"maps"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/musterhq/muster/internal/inventory"
)

// idLists are lists of ids of different lengths, which have no array type in SQL: one flat array
// and bounds.
type idLists[ID int16 | inventory.ItemID] struct {
	flat     []ID
	from, to []int32 // 1-based, inclusive, as SQL slices are
}

func (l *idLists[ID]) add(ids []ID) {
	l.from = append(l.from, int32(len(l.flat)+1)) //nolint:gosec // a group holds far fewer
	l.flat = append(l.flat, ids...)
	l.to = append(l.to, int32(len(l.flat))) //nolint:gosec // a group holds far fewer
}

// array returns the flat array. It is never null, because a slice of null is null.
func (l *idLists[ID]) array() []ID {
	if l.flat == nil {
		return []ID{}
	}
	return l.flat
}

// setRows collects the rows of item_set and the events of a group.
type setRows struct {
	records     []int64
	sections    []int16
	bases       []*int32
	plus, minus idLists[inventory.ItemID]

	eventRecords  []int64
	eventSections []int16
	eventAt       []time.Time
	old, new      idLists[inventory.ItemID]
}

func (r *setRows) add(record int64, rows map[int16]Difference) {
	for _, section := range slices.Sorted(maps.Keys(rows)) {
		d := rows[section]
		var base *int32
		if d.Base != nil {
			base = &d.Base.ID
		}
		r.records, r.sections, r.bases = append(r.records, record), append(r.sections, section), append(r.bases, base)
		r.plus.add(d.Plus)
		r.minus.add(d.Minus)
	}
}

func (r *setRows) addEvents(record int64, section int16, at time.Time, c inventory.SectionChange) {
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

const (
	upsertSets = `
		insert into item_set (record_id, section_id, base_id, plus, minus)
		select n.record_id, n.section_id, n.base_id,
			($4::integer[])[n.plus_first:n.plus_last], nullif(($5::integer[])[n.minus_first:n.minus_last], '{}')
		from unnest($1::bigint[], $2::smallint[], $3::integer[], $6::integer[], $7::integer[], $8::integer[],
			$9::integer[])
			n (record_id, section_id, base_id, plus_first, plus_last, minus_first, minus_last)
		on conflict (record_id, section_id) do update set
			base_id = excluded.base_id,
			plus    = excluded.plus,
			minus   = excluded.minus`

	insertEvents = `
		insert into item_event (record_id, section_id, at, old_items, new_items)
		select n.record_id, n.section_id, n.at, ($6::integer[])[n.first:n.last], ($7::integer[])[n.first:n.last]
		from unnest($1::bigint[], $2::smallint[], $3::timestamptz[], $4::integer[], $5::integer[])
			n (record_id, section_id, at, first, last)`
)

func (r *setRows) queue(batch *pgx.Batch) {
	if len(r.records) > 0 {
		batch.Queue(upsertSets, r.records, r.sections, r.bases, r.plus.array(), r.minus.array(),
			r.plus.from, r.plus.to, r.minus.from, r.minus.to)
	}
	if len(r.eventRecords) > 0 {
		batch.Queue(insertEvents, r.eventRecords, r.eventSections, r.eventAt,
			r.old.from, r.old.to, r.old.array(), r.new.array())
	}
}

// readingRows collects the readings of a group.
type readingRows struct {
	records  []int64
	at       []time.Time
	sections idLists[int16] // those with readings in the payload
	payloads [][]byte

	replacedRecords  []int64
	replacedSections []int16 // of which the payload has all readings
}

func (r *readingRows) add(sections *sectionIDs, at time.Time, c *Change) {
	if c.readings == nil {
		return
	}
	var ids []int16
	for _, change := range c.Sections {
		if len(change.Readings) == 0 {
			continue
		}
		id := sections.get(change.State.Section)
		ids = append(ids, id)
		if change.AllReadings && !change.First {
			r.replacedRecords, r.replacedSections = append(r.replacedRecords, c.Record), append(r.replacedSections, id)
		}
	}
	r.records, r.at, r.payloads = append(r.records, c.Record), append(r.at, at), append(r.payloads, c.readings)
	r.sections.add(ids)
}

const (
	replaceReadings = `
		with replaced as (
			select record_id, array_agg(section_id) as ids
			from unnest($1::bigint[], $2::smallint[]) n (record_id, section_id)
			group by record_id
		), deleted as (
			delete from reading r
			using replaced n
			where r.record_id = n.record_id and r.section_ids <@ n.ids
		)
		update reading r set section_ids = array(select i from unnest(r.section_ids) i where i <> all(n.ids))
		from replaced n
		where r.record_id = n.record_id and r.section_ids && n.ids and not r.section_ids <@ n.ids`

	insertReadings = `
		insert into reading (record_id, at, section_ids, payload)
		select n.record_id, n.at, ($3::smallint[])[n.first:n.last], n.payload
		from unnest($1::bigint[], $2::timestamptz[], $4::integer[], $5::integer[], $6::bytea[])
			n (record_id, at, first, last, payload)`
)

func (r *readingRows) queue(batch *pgx.Batch) {
	if len(r.replacedRecords) > 0 {
		batch.Queue(replaceReadings, r.replacedRecords, r.replacedSections)
	}
	if len(r.records) > 0 {
		batch.Queue(insertReadings, r.records, r.at, r.sections.array(), r.sections.from, r.sections.to, r.payloads)
	}
}
