package items

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"
	"github.com/jackc/pgx/v5"

	"github.com/musterhq/muster/internal/inventory"
)

const (
	knownBases       = 1024 // that are kept in memory: about 4 MB
	baseRefreshEvery = time.Minute
)

// baseCatalog is what this collector knows of the table item_base. Several collectors add to the
// table and retire what no row refers to.
type baseCatalog struct {
	Bases // to choose from

	known *lru.Cache[int32, *Base] // to read rows with: retired ones too

	mu        sync.Mutex
	refreshed time.Time
	last      int32 // the greatest id that was read
}

func newBaseCatalog() (*baseCatalog, error) {
	known, err := lru.New[int32, *Base](knownBases)
	if err != nil {
		return nil, fmt.Errorf("make cache of bases: %w", err)
	}
	return &baseCatalog{known: known}, nil
}

// choose returns the same set relative to the base that fits it best. It adds a base to the
// database, in a transaction of its own, if another row that was written lately has much in common
// with this one.
func (s *Store) choose(ctx context.Context, row Row, d Difference) (Difference, error) {
	d = s.bases.Improve(d)
	shared := s.bases.Propose(row, d)
	if shared == nil {
		return d, nil
	}
	var id int32
	err := s.Pool.QueryRow(ctx, `insert into item_base (ids) values ($1) returning id`, shared).Scan(&id)
	if err != nil {
		return Difference{}, fmt.Errorf("add base: %w", err)
	}
	base := NewBase(id, shared)
	s.bases.known.Add(id, base)
	s.bases.Add(base)
	return Encode(d.Set(), base), nil
}

// basesByID returns bases of rows that were read.
func (s *Store) basesByID(ctx context.Context, ids []int32) (map[int32]*Base, error) {
	bases := map[int32]*Base{}
	var missing []int32
	for _, id := range ids {
		if base, ok := s.bases.known.Get(id); ok {
			bases[id] = base
		} else {
			missing = append(missing, id)
		}
	}
	if len(missing) == 0 {
		return bases, nil
	}
	read, err := s.readBases(ctx, `select id, ids from item_base where id = any($1)`, missing)
	if err != nil {
		return nil, err
	}
	for _, base := range read {
		bases[base.ID] = base
	}
	for _, id := range missing {
		if bases[id] == nil {
			return nil, fmt.Errorf("read bases: base %d is gone", id)
		}
	}
	return bases, nil
}

func (s *Store) readBases(ctx context.Context, sql string, args ...any) ([]*Base, error) {
	rows, err := s.Pool.Query(ctx, sql, args...)
	if err != nil {
		return nil, fmt.Errorf("read bases: %w", err)
	}
	bases, err := pgx.CollectRows(rows, func(r pgx.CollectableRow) (*Base, error) {
		var id int32
		var ids []inventory.ItemID
		err := r.Scan(&id, &ids)
		return NewBase(id, ids), err
	})
	if err != nil {
		return nil, fmt.Errorf("read bases: %w", err)
	}
	for _, base := range bases {
		s.bases.known.Add(base.ID, base)
	}
	return bases, nil
}

const (
	// The base with the most members is the last one, which Bases forgets last.
	mostUsedBases = `
		select b.id, b.ids
		from (select base_id, count(*) as n from item_set where base_id is not null group by base_id) m
		join item_base b on b.id = m.base_id and b.retired_at is null
		order by m.n desc
		limit $1`

	newestBases = `
		select id, ids from item_base
		where id > $1 and retired_at is null
		order by id desc
		limit $2`
)

// refreshBases learns, once a minute, which bases other collectors added and which are retired.
func (s *Store) refreshBases(ctx context.Context) error {
	c := s.bases
	c.mu.Lock()
	defer c.mu.Unlock()
	if time.Since(c.refreshed) < baseRefreshEvery {
		return nil
	}
	var added []*Base
	var err error
	if c.refreshed.IsZero() {
		added, err = s.readBases(ctx, mostUsedBases, hotBases)
	} else {
		added, err = s.readBases(ctx, newestBases, c.last, hotBases)
	}
	if err != nil {
		return err
	}
	slices.Reverse(added)
	c.Add(added...)
	for _, base := range added {
		c.last = max(c.last, base.ID)
	}
	rows, err := s.Pool.Query(ctx, `select id from item_base where retired_at is not null`)
	if err != nil {
		return fmt.Errorf("read retired bases: %w", err)
	}
	retired, err := pgx.CollectRows(rows, pgx.RowTo[int32])
	if err != nil {
		return fmt.Errorf("read retired bases: %w", err)
	}
	c.Remove(retired...)
	c.refreshed = time.Now()
	return nil
}

// CollectBases retires the bases that no row has referred to for a day, and deletes those that were
// retired a day ago and that no count of the past needs. It returns how many it deleted. By then no
// collector has chosen a retired base for a day, because each refreshes its bases before it chooses
// one.
func (s *Store) CollectBases(ctx context.Context) (int64, error) {
	const unused = `not exists (select from item_set s where s.base_id = b.id)`
	deleted, err := s.Pool.Exec(ctx, `
		delete from item_base b
		where b.retired_at < now() - interval '1 day' and `+unused+` and not exists (
			select from item_count_pending p where b.id = any(p.base_ids)
			union all
			select from item_count_log l where b.id = any(l.base_ids)
		)`)
	if err != nil {
		return 0, fmt.Errorf("delete bases: %w", err)
	}
	_, err = s.Pool.Exec(ctx, `
		update item_base b set retired_at = now()
		where b.retired_at is null and b.created_at < now() - interval '1 day' and `+unused)
	if err != nil {
		return 0, fmt.Errorf("retire bases: %w", err)
	}
	return deleted.RowsAffected(), nil
}
