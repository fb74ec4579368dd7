package items

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/jackc/pgx/v5"

	"github.com/musterhq/muster/internal/inventory"
)

// insertSize is the number of items that one transaction inserts. Inserted items stay, so a machine
// with very many new items makes progress even if it has to be tried again.
const insertSize = 5000

// Intern returns the id of each item, in the order of the items. It inserts the items that are new.
func (s *Store) Intern(ctx context.Context, items []inventory.Item) ([]inventory.ItemID, error) {
	known, err := s.itemIDs(ctx, digestsOf(items))
	if err != nil {
		return nil, err
	}
	missing := without(items, known)
	for chunk := range slices.Chunk(missing, insertSize) {
		if err := s.insertItems(ctx, chunk, known); err != nil {
			return nil, err
		}
	}
	// Another collector inserted the rest at the same moment and has committed it.
	if left := without(missing, known); len(left) > 0 {
		others, err := s.itemIDs(ctx, digestsOf(left))
		if err != nil {
			return nil, err
		}
		maps.Copy(known, others)
	}
	ids := make([]inventory.ItemID, len(items))
	for i, item := range items {
		ids[i] = known[item.Digest]
		if ids[i] == 0 {
			return nil, fmt.Errorf("intern item: digest %x did not come back", item.Digest)
		}
	}
	return ids, nil
}

func digestsOf(items []inventory.Item) [][16]byte {
	digests := make([][16]byte, len(items))
	for i, item := range items {
		digests[i] = item.Digest
	}
	return digests
}

// without returns the items that are not known, once each and sorted by digest, so that concurrent
// inserts cannot deadlock.
func without(items []inventory.Item, known map[inventory.Digest]inventory.ItemID) []inventory.Item {
	var missing []inventory.Item
	for _, item := range items {
		if _, ok := known[item.Digest]; !ok {
			missing = append(missing, item)
		}
	}
	slices.SortFunc(missing, func(a, b inventory.Item) int { return slices.Compare(a.Digest[:], b.Digest[:]) })
	return slices.CompactFunc(missing, func(a, b inventory.Item) bool { return a.Digest == b.Digest })
}

func (s *Store) itemIDs(ctx context.Context, digests [][16]byte) (map[inventory.Digest]inventory.ItemID, error) {
	rows, err := s.Pool.Query(ctx, `select digest, id from item where digest = any($1::uuid[])`, digests)
	if err != nil {
		return nil, fmt.Errorf("find items: %w", err)
	}
	ids := make(map[inventory.Digest]inventory.ItemID, len(digests))
	var digest [16]byte
	var id inventory.ItemID
	_, err = pgx.ForEachRow(rows, []any{&digest, &id}, func() error {
		ids[digest] = id
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("find items: %w", err)
	}
	return ids, nil
}

const insertItems = `
	insert into item (section_id, key_hash, digest, facts, readings)
	select * from unnest($1::smallint[], $2::bigint[], $3::uuid[], $4::json[], $5::bytea[])
	on conflict (digest) do nothing
	returning digest, id`

func (s *Store) insertItems(
	ctx context.Context, items []inventory.Item, known map[inventory.Digest]inventory.ItemID,
) error {
	var (
		sections = make([]int16, len(items))
		keys     = make([]int64, len(items))
		facts    = make([]string, len(items))
		readings = make([][]byte, len(items))
		software = map[inventory.Digest][]byte{} // the facts of the items that are software
	)
	for i, item := range items {
		id, err := s.sectionID(ctx, item.Section)
		if err != nil {
			return err
		}
		sections[i], keys[i], facts[i], readings[i] = id, item.KeyHash, string(item.Facts), item.Readings
		if item.Section == inventory.SectionSoftware {
			software[item.Digest] = item.Facts
		}
	}
	err := s.InTx(ctx, func(tx pgx.Tx) error {
		rows, err := tx.Query(ctx, insertItems, sections, keys, digestsOf(items), facts, readings)
		if err != nil {
			return fmt.Errorf("insert items: %w", err)
		}
		var added softwareRows
		var digest [16]byte
		var id inventory.ItemID
		_, err = pgx.ForEachRow(rows, []any{&digest, &id}, func() error {
			known[digest] = id
			if facts := software[digest]; facts != nil {
				return added.add(id, facts)
			}
			return nil
		})
		if err != nil {
			return fmt.Errorf("insert items: %w", err)
		}
		return added.insert(ctx, tx)
	})
	if err != nil {
		return err
	}
	for _, item := range items {
		if id, inserted := known[item.Digest]; inserted {
			s.first.remember(id, slices.Clone(item.Readings))
		}
	}
	return nil
}

// Refs returns the key hashes of items.
func (s *Store) Refs(ctx context.Context, ids []inventory.ItemID) ([]inventory.Ref, error) {
	rows, err := s.Pool.Query(ctx, `select id, key_hash from item where id = any($1)`, ids)
	if err != nil {
		return nil, fmt.Errorf("read items: %w", err)
	}
	refs, err := pgx.CollectRows(rows, pgx.RowToStructByPos[inventory.Ref])
	if err != nil {
		return nil, fmt.Errorf("read items: %w", err)
	}
	slices.SortFunc(refs, func(a, b inventory.Ref) int { return cmp.Compare(a.ID, b.ID) })
	return refs, nil
}

// Facts returns the facts of items.
func (s *Store) Facts(ctx context.Context, ids []inventory.ItemID) (map[inventory.ItemID][]byte, error) {
	rows, err := s.Pool.Query(ctx, `select id, facts from item where id = any($1)`, ids)
	if err != nil {
		return nil, fmt.Errorf("read facts: %w", err)
	}
	facts := make(map[inventory.ItemID][]byte, len(ids))
	var id inventory.ItemID
	var json []byte
	_, err = pgx.ForEachRow(rows, []any{&id, &json}, func() error {
		facts[id] = slices.Clone(json)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read facts: %w", err)
	}
	return facts, nil
}
