package cmdb

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/musterhq/muster/internal/inventory"
	"github.com/musterhq/muster/internal/store/db"
)

// heldItem is an item that a CI holds at one of two instants.
type heldItem struct {
	ID      inventory.ItemID
	Section string
	KeyHash int64
	Facts   []byte
	Gained  bool `db:"-"`
}

// itemDifferences are what a CI gained and lost.
type itemDifferences []heldItem

// addTo pairs what was lost and what was gained under one key: that is one change.
func (items itemDifferences) addTo(diff *inventory.CIDiff, list bool) error {
	slices.SortFunc(items, func(a, b heldItem) int {
		return cmp.Or(cmp.Compare(a.Section, b.Section), cmp.Compare(a.KeyHash, b.KeyHash), cmp.Compare(a.ID, b.ID))
	})
	for len(items) > 0 {
		n := 1
		for n < len(items) && items[n].Section == items[0].Section && items[n].KeyHash == items[0].KeyHash {
			n++
		}
		if err := addKey(items[:n], diff, list); err != nil {
			return err
		}
		items = items[n:]
	}
	return nil
}

// addKey adds what became of one key.
func addKey(items []heldItem, diff *inventory.CIDiff, list bool) error {
	var lost, gained []heldItem
	for _, item := range items {
		if item.Gained {
			gained = append(gained, item)
		} else {
			lost = append(lost, item)
		}
	}
	changed := min(len(lost), len(gained))
	diff.ItemsChanged += changed
	diff.ItemsAdded += len(gained) - changed
	diff.ItemsRemoved += len(lost) - changed
	for i := range max(len(lost), len(gained)) {
		if !list {
			return nil
		}
		item := inventory.ItemDiff{Section: items[0].Section}
		var err error
		if i < len(lost) {
			if item.Old, err = db.DecodeAttributes(lost[i].Facts); err != nil {
				return err
			}
		}
		if i < len(gained) {
			if item.New, err = db.DecodeAttributes(gained[i].Facts); err != nil {
				return err
			}
		}
		diff.Items = append(diff.Items, item)
	}
	return nil
}

// netRow is an item that a CI holds at the later instant (1) or at the earlier one (-1) only.
type netRow struct {
	CI   string
	Item inventory.ItemID
	Net  int
}

// items gives what CIs that were there at both instants gained and lost.
func (d *differ) items(ctx context.Context, cis []compared) (map[string]itemDifferences, error) {
	primary, err := d.primaryRecords(ctx, cis)
	if err != nil {
		return nil, err
	}
	nets, err := db.Collect[netRow](ctx, d.tx, "read item changes", netOfEvents, db.PlanForArguments, primary.alike(d))
	if err != nil {
		return nil, err
	}
	if args, some := primary.unlike(d); some {
		more, err := db.Collect[netRow](ctx, d.tx, "read item sets", netOfSets, db.PlanForArguments, args)
		if err != nil {
			return nil, err
		}
		nets = append(nets, more...)
	}
	return d.describe(ctx, nets)
}

// netOfEvents is what came of all events of a record in between. What was first known of a section is no event.
const netOfEvents = `
	select r.ci::text as ci, n.item, sum(n.change)::integer as net
	from unnest(@cis::uuid[], @records::bigint[]) r (ci, record_id)
	join item_event e on e.record_id = r.record_id and e.at > @from and e.at <= @to
	join section_state st on st.record_id = e.record_id and st.section_id = e.section_id and st.first_at <= @from
	cross join lateral (
		select unnest(e.new_items) as item, 1 as change union all select unnest(e.old_items), -1
	) n
	where n.item <> 0
	group by r.ci, n.item
	having sum(n.change) <> 0`

// netOfSets compares the items that the primary records of CIs held at the earlier instant (side 0) and the later one
// (side 1). A section is compared if it is known at both.
var netOfSets = `
	with known as materialized (
		select s.ci, s.side, s.record_id, s.at, st.section_id
		from unnest(@cis::uuid[], @records::bigint[], @sides::integer[], @instants::timestamptz[]) s (ci, record_id, side, at)
		join section_state st on st.record_id = s.record_id and st.first_at <= s.at
	), compared as (
		select ci, section_id from known group by ci, section_id having count(distinct side) = 2
	), held as (
		select k.ci, k.side, x.item_id
		from known k
		join compared c on c.ci = k.ci and c.section_id = k.section_id
		cross join lateral (` + itemsAt("k", `k.at`) + `) x
		group by k.ci, k.side, x.item_id
	)
	select ci::text as ci, item_id as item, (2 * max(side) - 1)::integer as net
	from held
	group by ci, item_id
	having count(*) = 1`

// primaryAtBoth are the records whose inventory was a CI's at the two instants, sorted.
type primaryAtBoth map[string]*[2][]int64

type primaryRow struct {
	CI     string
	Record int64
	Before bool
	After  bool
}

func (d *differ) primaryRecords(ctx context.Context, cis []compared) (primaryAtBoth, error) {
	primary := primaryAtBoth{}
	var ids []string
	for _, c := range cis {
		if c.atBoth() {
			ids = append(ids, c.ID)
			primary[c.ID] = &[2][]int64{}
		}
	}
	err := db.ForEach(ctx, d.tx, "read records of CIs", `
		select m.ci_id::text as ci, m.record_id as record, bool_or(`+during(`@from`)("m")+`) as before,
			bool_or(`+during(`@to`)("m")+`) as after
		from assignment m
		where m.ci_id = any(@cis::uuid[]) and m.is_primary and m.valid_from <= @to and m.valid_to > @from
		group by m.ci_id, m.record_id
		order by m.ci_id, m.record_id`, d.args(pgx.NamedArgs{"cis": ids}), func(row primaryRow) error {
		sides := primary[row.CI]
		if row.Before {
			sides[0] = append(sides[0], row.Record)
		}
		if row.After {
			sides[1] = append(sides[1], row.Record)
		}
		return nil
	})
	return primary, err
}

// simple reports whether one record speaks for the CI at both instants: then its events tell the difference.
func simple(sides *[2][]int64) bool {
	return len(sides[0]) == 1 && slices.Equal(sides[0], sides[1])
}

func (primary primaryAtBoth) alike(d *differ) pgx.NamedArgs {
	var cis []string
	var records []int64
	for ci, sides := range primary {
		if simple(sides) {
			cis, records = append(cis, ci), append(records, sides[0][0])
		}
	}
	return d.args(pgx.NamedArgs{"cis": cis, "records": records})
}

func (primary primaryAtBoth) unlike(d *differ) (args pgx.NamedArgs, some bool) {
	var (
		cis      []string
		records  []int64
		sides    []int
		instants []time.Time
	)
	for ci, both := range primary {
		if simple(both) {
			continue
		}
		for side, of := range both {
			for _, record := range of {
				cis, records, sides = append(cis, ci), append(records, record), append(sides, side)
				instants = append(instants, []time.Time{d.query.From, d.query.To}[side])
			}
		}
	}
	return pgx.NamedArgs{"cis": cis, "records": records, "sides": sides, "instants": instants}, len(cis) > 0
}

// describe tells what the items are.
func (d *differ) describe(ctx context.Context, nets []netRow) (map[string]itemDifferences, error) {
	var ids []inventory.ItemID
	for _, n := range nets {
		ids = append(ids, n.Item)
	}
	slices.Sort(ids)
	known := map[inventory.ItemID]heldItem{}
	err := db.ForEach(ctx, d.tx, "read items", `
		select i.id, n.name as section, i.key_hash, case when @facts then i.facts end as facts
		from item i join section n on n.id = i.section_id
		where i.id = any(@ids::integer[])`,
		pgx.NamedArgs{"ids": slices.Compact(ids), "facts": d.query.ChangedItems}, func(row heldItem) error {
			known[row.ID] = row
			return nil
		})
	if err != nil {
		return nil, err
	}
	items := map[string]itemDifferences{}
	for _, n := range nets {
		item := known[n.Item]
		item.Gained = n.Net > 0
		items[n.CI] = append(items[n.CI], item)
	}
	return items, nil
}
