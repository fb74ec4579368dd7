package store

import (
	"context"
	"maps"
	"slices"

	"github.com/jackc/pgx/v5"

	"github.com/musterhq/muster/internal/inventory"
)

// What bounds a neighborhood.
const (
	// A token that more records hold tells nothing about any of them.
	maxHolders = 64
	// Where shared identifiers tie very many records together, those that are farther away are not looked at, and a finding
	// says so: the time that a partition takes grows with the square of what it looks at, and all others wait for it.
	maxNearby = 1024
)

// nearby gathers records and all that can have to do with them: records with the same identifiers, the same home or
// something settled about them, and those of these in turn.
type nearby struct {
	*resolution

	witnesses   map[int64]inventory.RecordEvidence
	placed      map[int64]placed
	constraints map[[2]int64]inventory.Constraint
	searched    map[inventory.Identifier]bool
	holders     map[inventory.Identifier][]int64
	frozen      map[inventory.Identifier]bool
	cut         map[int64]bool // records whose neighbors were not looked at
}

// placed is where a record is.
type placed struct {
	CI        string
	Shown     bool
	Departed  []string
	Rule      string // of the last decision
	Unsettled bool
	Retired   bool // the CI is
	Gone      bool // the CI is, as its life-cycle state says
}

// nobody is where a look around begins.
func (r *resolution) nobody() *nearby {
	return &nearby{
		resolution: r, witnesses: map[int64]inventory.RecordEvidence{}, placed: map[int64]placed{},
		constraints: map[[2]int64]inventory.Constraint{}, searched: map[inventory.Identifier]bool{},
		holders: map[inventory.Identifier][]int64{}, frozen: map[inventory.Identifier]bool{}, cut: map[int64]bool{},
	}
}

// nearby looks around records until there is nothing new.
func (r *resolution) nearby(ctx context.Context, records []int64) (*nearby, error) {
	n := r.nobody()
	for len(records) > 0 {
		if err := n.load(ctx, records); err != nil {
			return nil, err
		}
		found, err := n.around(ctx, n.growing(records))
		if err != nil {
			return nil, err
		}
		records = nil
		for record := range found {
			if _, known := n.witnesses[record]; !known {
				records = append(records, record)
			}
		}
		slices.Sort(records)
	}
	return n, nil
}

// growing are the records whose neighborhood is not too large to look farther.
func (n *nearby) growing(records []int64) []int64 {
	if len(n.witnesses) < maxNearby {
		return records
	}
	groups, size := n.groups(), map[int64]int{}
	for record := range n.witnesses {
		size[groups.find(record)]++
	}
	var growing []int64
	for _, record := range records {
		if groups.has(record) && size[groups.find(record)] > maxNearby {
			n.cut[record] = true
			continue
		}
		growing = append(growing, record)
	}
	return growing
}

// cutShort are the neighborhoods that are not whole.
func (n *nearby) cutShort(parts []inventory.CandidateSet) []inventory.CandidateSet {
	if len(n.cut) == 0 {
		return nil
	}
	var short []inventory.CandidateSet
	for _, part := range parts {
		if slices.ContainsFunc(part.Records, func(w inventory.RecordEvidence) bool { return n.cut[w.Record] }) {
			short = append(short, part)
		}
	}
	return short
}

// around finds the records that have something to do with those just loaded.
func (n *nearby) around(ctx context.Context, records []int64) (map[int64]bool, error) {
	found := map[int64]bool{}
	var tokens, homes []string
	for _, record := range records {
		w, ok := n.witnesses[record]
		if !ok {
			continue
		}
		homes = append(homes, w.DefaultCI)
		for _, claim := range w.Identifiers {
			if !n.searched[claim.Identifier] && n.judge.Searchable(claim.Identifier) {
				n.searched[claim.Identifier] = true
				tokens = append(tokens, string(claim.Identifier))
			}
		}
	}
	batch := &pgx.Batch{}
	n.queueHolders(batch, tokens, found)
	n.queueHomes(batch, homes, found)
	n.queueConstraints(batch, records, found)
	return found, n.send(ctx, "look around", batch)
}

func (n *nearby) queueHolders(batch *pgx.Batch, tokens []string, found map[int64]bool) {
	if len(tokens) == 0 {
		return
	}
	batch.Queue(`
		select t.token, e.record_id
		from unnest($1::text[]) t (token)
		cross join lateral (select record_id from evidence where tokens @> array[t.token] limit $2) e`,
		tokens, maxHolders+1).Query(func(rows pgx.Rows) error {
		var token inventory.Identifier
		var record int64
		_, err := pgx.ForEachRow(rows, []any{&token, &record}, func() error {
			n.holders[token] = append(n.holders[token], record)
			return nil
		})
		for token, holders := range n.holders {
			if len(holders) > maxHolders {
				n.frozen[token] = true
				continue
			}
			for _, record := range holders {
				found[record] = true
			}
		}
		return err
	})
}

func (n *nearby) queueHomes(batch *pgx.Batch, homes []string, found map[int64]bool) {
	batch.Queue(`select id from source_record where home = any($1::uuid[])`, homes).Query(func(rows pgx.Rows) error {
		var record int64
		_, err := pgx.ForEachRow(rows, []any{&record}, func() error {
			found[record] = true
			return nil
		})
		return err
	})
}

func (n *nearby) queueConstraints(batch *pgx.Batch, records []int64, found map[int64]bool) {
	batch.Queue(`
		select record_a, record_b, linked, origin from identity_constraint where record_a = any($1) and revoked_at is null
		union all
		select record_a, record_b, linked, origin from identity_constraint where record_b = any($1) and revoked_at is null`,
		records).Query(func(rows pgx.Rows) error {
		var c inventory.Constraint
		_, err := pgx.ForEachRow(rows, []any{&c.A, &c.B, &c.Linked, &c.Origin}, func() error {
			n.constraints[[2]int64{c.A, c.B}] = c
			found[c.A], found[c.B] = true, true
			return nil
		})
		return err
	})
}

// neighborhoods parts what was gathered into what has nothing to do with each other.
func (n *nearby) neighborhoods() []inventory.CandidateSet {
	return n.part(slices.Sorted(maps.Keys(n.witnesses)), n.groups())
}

// groups are the records that have something to do with each other.
func (n *nearby) groups() union {
	records := slices.Sorted(maps.Keys(n.witnesses))
	groups := newUnion(records)
	byHome := map[string]int64{}
	byToken := map[inventory.Identifier]int64{}
	for _, record := range records {
		w := n.witnesses[record]
		groups.join(firstOf(byHome, w.DefaultCI, record), record)
		for _, claim := range w.Identifiers {
			if n.searched[claim.Identifier] && !n.frozen[claim.Identifier] {
				groups.join(firstOf(byToken, claim.Identifier, record), record)
			}
		}
	}
	for _, c := range n.constraints {
		groups.join(c.A, c.B)
	}
	return groups
}

func (n *nearby) part(records []int64, groups union) []inventory.CandidateSet {
	var parts []inventory.CandidateSet
	number := map[int64]int{}
	frozen := slices.Sorted(maps.Keys(n.frozen))
	for _, record := range records {
		root := groups.find(record)
		if root == record { // the smallest of its group comes first
			number[root] = len(parts)
			parts = append(parts, inventory.CandidateSet{OverShared: frozen})
		}
		part := &parts[number[root]]
		part.Records = append(part.Records, n.witnesses[record])
	}
	for _, c := range n.constraints {
		if groups.has(c.A) && groups.has(c.B) && groups.find(c.A) == groups.find(c.B) {
			part := &parts[number[groups.find(c.A)]]
			part.Constraints = append(part.Constraints, c)
		}
	}
	return parts
}

// firstOf gives the record that was first noted under a key: this one, if there was none.
func firstOf[K comparable](noted map[K]int64, key K, record int64) int64 {
	if first, ok := noted[key]; ok {
		return first
	}
	noted[key] = record
	return record
}
