package resolve

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/musterhq/muster/internal/identify"
	"github.com/musterhq/muster/internal/inventory"
	"github.com/musterhq/muster/internal/store/db"
)

// separateCopies changes the key of a document whose hardware contradicts that of the record with
// its key, and returns the record that had the key first. Two machines report under one key if they
// were set up from one image.
func (t *importing) separateCopies(
	ctx context.Context, records []inventory.ImportRecord, taken []int,
) (map[int]int64, error) {
	var sources []string
	var keys [][]byte
	for _, i := range taken {
		if inventory.SourceCategory(records[i].Source) == inventory.CategoryInventory {
			key := keyOf(records[i])
			sources, keys = append(sources, key.source), append(keys, []byte(key.key))
		}
	}
	origins := map[int]int64{}
	held, err := t.byKeys(ctx, sources, keys)
	for _, i := range taken {
		machines := held[keyOf(records[i])]
		if n := t.rules.SameDevice(machines, records[i].Observed.Identifiers); n > 0 {
			records[i].NativeKey = fmt.Sprintf("%s\n%d", records[i].NativeKey, n+1)
			origins[i] = machines[0].Record
		}
	}
	return origins, err
}

// byKeys returns the records that have the keys, each followed by its copies.
func (t *importing) byKeys(ctx context.Context, of []string, keys [][]byte) (map[sourceKey][]identify.Machine, error) {
	if len(keys) == 0 {
		return map[sourceKey][]identify.Machine{}, nil
	}
	type machineRow struct {
		Source    string
		NativeKey []byte
		identify.Machine
	}
	rows, err := db.Collect[machineRow](ctx, t.tx, "find copies", `
		select o.source, o.native_key, r.id as record, (
			select array_agg(i.identifier) from unnest(e.identifiers, e.last_seen) i (identifier, last_seen)
			where i.last_seen is null
		) as identifiers
		from unnest($1::text[], $2::bytea[]) k (source, native_key)
		join source_record o on o.source = k.source and o.native_key = k.native_key
		cross join lateral (select o.id union all select c.id from source_record c where c.forked_from = o.id) r
		left join evidence e on e.record_id = r.id
		order by r.id`, of, keys)
	held := make(map[sourceKey][]identify.Machine, len(rows))
	for _, row := range rows {
		key := sourceKey{row.Source, string(row.NativeKey)}
		held[key] = append(held[key], row.Machine)
	}
	return held, err
}

// keepCopies notes the origin of each copy. A constraint keeps the two separate, and a finding
// names them.
func (t *importing) keepCopies(
	ctx context.Context, records []inventory.ImportRecord, ids map[sourceKey]documentRecord, origins map[int]int64,
) error {
	batch := &pgx.Batch{}
	for i, origin := range origins {
		id := ids[keyOf(records[i])].ID
		batch.Queue(`update source_record set forked_from = $2 where id = $1 and forked_from is null`, id, origin)
		t.constrainPair(batch, id, origin, false, inventory.OriginFork)
	}
	return t.send(ctx, "note copies", batch)
}
