package items

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/musterhq/muster/internal/inventory"
)

// WholeSection asks Buckets for every bucket of a section.
const WholeSection = -1

// Buckets reads the current ids of the buckets asked for. A bucket that holds nothing is not among the answers.
func (s *Store) Buckets(ctx context.Context, keys []inventory.SetKey) (map[inventory.SetKey][]inventory.ItemID, error) {
	records, sections, buckets := make([]int64, len(keys)), make([]int16, len(keys)), make([]int16, len(keys))
	names := map[int16]string{}
	for i, key := range keys {
		id, err := s.sectionID(ctx, key.Section)
		if err != nil {
			return nil, err
		}
		records[i], sections[i], buckets[i] = key.Record, id, int16(key.Bucket) //nolint:gosec // few buckets
		names[id] = key.Section
	}
	rows, err := s.Pool.Query(ctx, `
		select i.record_id, i.section_id, i.bucket, i.ids
		from unnest($1::bigint[], $2::smallint[], $3::smallint[]) k (record_id, section_id, bucket)
		join item_set i on i.record_id = k.record_id and i.section_id = k.section_id
			and (k.bucket = i.bucket or k.bucket = -1)`, records, sections, buckets)
	if err != nil {
		return nil, fmt.Errorf("read item sets: %w", err)
	}
	sets := make(map[inventory.SetKey][]inventory.ItemID, len(keys))
	var (
		record          int64
		section, bucket int16
		ids             []inventory.ItemID
	)
	_, err = pgx.ForEachRow(rows, []any{&record, &section, &bucket, &ids}, func() error {
		sets[inventory.SetKey{Record: record, Section: names[section], Bucket: int(bucket)}] = ids
		ids = nil
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read item sets: %w", err)
	}
	return sets, nil
}
