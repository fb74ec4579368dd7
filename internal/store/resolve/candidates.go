package resolve

import (
	"context"
	"maps"
	"slices"

	"github.com/jackc/pgx/v5"

	"github.com/musterhq/muster/internal/identify"
	"github.com/musterhq/muster/internal/inventory"
)

// Bounds of a candidate set.
const (
	// A token that more records hold tells nothing about any of them.
	maxRecordsPerIdentifier = 64
	// Where shared identifiers tie very many records together, those that are farther away are not
	// looked at, and a finding says so: the time that a partition takes grows with the square of
	// what it looks at, and all others wait for it.
	maxCandidates = 1024
)

// candidates gathers records and all that can have to do with them: records with the same
// identifiers, the same home or something settled about them, and those of these in turn.
type candidates struct {
	*resolution

	evidence    map[int64]inventory.RecordEvidence
	assigned    map[int64]currentAssignment
	constraints map[[2]int64]inventory.Constraint
	searched    map[inventory.Identifier]bool
	holders     map[inventory.Identifier][]int64
	overShared  map[inventory.Identifier]bool
	cut         map[int64]bool // records whose neighbors were not looked at
}

// currentAssignment is where a record is.
type currentAssignment struct {
	CI                string
	Primary           bool
	PreviousCIs       []string
	Rule              string // of the last decision
	LivenessDependent bool
	Retired           bool // the CI is
	Disposed          bool // the CI is, as its life-cycle state says
}

// newCandidates is where a look around begins.
func (r *resolution) newCandidates() *candidates {
	return &candidates{
		resolution: r, evidence: map[int64]inventory.RecordEvidence{}, assigned: map[int64]currentAssignment{},
		constraints: map[[2]int64]inventory.Constraint{}, searched: map[inventory.Identifier]bool{},
		holders: map[inventory.Identifier][]int64{}, overShared: map[inventory.Identifier]bool{}, cut: map[int64]bool{},
	}
}

// findCandidates looks around records until there is nothing new.
func (r *resolution) findCandidates(ctx context.Context, records []int64) (*candidates, error) {
	n := r.newCandidates()
	for len(records) > 0 {
		if err := n.load(ctx, records); err != nil {
			return nil, err
		}
		// Nobody has anything to do with an isolated record.
		records = slices.DeleteFunc(records, func(record int64) bool { return r.isolated[record] })
		if len(records) == 0 {
			break
		}
		found, err := n.expand(ctx, n.withinBounds(records))
		if err != nil {
			return nil, err
		}
		records = nil
		for record := range found {
			if _, known := n.evidence[record]; !known {
				records = append(records, record)
			}
		}
		slices.Sort(records)
	}
	return n, nil
}

// withinBounds returns the records whose candidate set may still grow.
func (n *candidates) withinBounds(records []int64) []int64 {
	if len(n.evidence) < maxCandidates {
		return records
	}
	groups, size := n.groups(), map[int64]int{}
	for record := range n.evidence {
		size[groups.find(record)]++
	}
	var growing []int64
	for _, record := range records {
		if groups.has(record) && size[groups.find(record)] > maxCandidates {
			n.cut[record] = true
			continue
		}
		growing = append(growing, record)
	}
	return growing
}

// cutShort returns the candidate sets that reached their bound.
func (n *candidates) cutShort(parts []inventory.CandidateSet) []inventory.CandidateSet {
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

// expand finds the records that have something to do with those just loaded.
func (n *candidates) expand(ctx context.Context, records []int64) (map[int64]bool, error) {
	found := map[int64]bool{}
	var identifiers, defaultCIs []string
	for _, record := range records {
		w, ok := n.evidence[record]
		if !ok {
			continue
		}
		defaultCIs = append(defaultCIs, w.DefaultCI)
		for _, interval := range w.Identifiers {
			if !n.searched[interval.Identifier] && identify.IsBlockingKey(interval.Identifier) {
				n.searched[interval.Identifier] = true
				identifiers = append(identifiers, string(interval.Identifier))
			}
		}
	}
	batch := &pgx.Batch{}
	n.queueByIdentifier(batch, identifiers, found)
	n.queueByDefaultCI(batch, defaultCIs, found)
	n.queueConstraints(batch, records, found)
	return found, n.send(ctx, "look around", batch)
}

func (n *candidates) queueByIdentifier(batch *pgx.Batch, identifiers []string, found map[int64]bool) {
	if len(identifiers) == 0 {
		return
	}
	batch.Queue(`
		select t.token, e.record_id
		from unnest($1::text[]) t (token)
		cross join lateral (select record_id from evidence where identifiers @> array[t.token] limit $2) e`,
		identifiers, maxRecordsPerIdentifier+1).Query(func(rows pgx.Rows) error {
		var identifier inventory.Identifier
		var record int64
		_, err := pgx.ForEachRow(rows, []any{&identifier, &record}, func() error {
			n.holders[identifier] = append(n.holders[identifier], record)
			return nil
		})
		for identifier, holders := range n.holders {
			if len(holders) > maxRecordsPerIdentifier {
				n.overShared[identifier] = true
				continue
			}
			for _, record := range holders {
				found[record] = true
			}
		}
		return err
	})
}

func (n *candidates) queueByDefaultCI(batch *pgx.Batch, defaultCIs []string, found map[int64]bool) {
	batch.Queue(`select id from source_record where default_ci = any($1::uuid[])`, defaultCIs).
		Query(func(rows pgx.Rows) error {
			var record int64
			_, err := pgx.ForEachRow(rows, []any{&record}, func() error {
				found[record] = true
				return nil
			})
			return err
		})
}

func (n *candidates) queueConstraints(batch *pgx.Batch, records []int64, found map[int64]bool) {
	batch.Queue(`
		select record_a, record_b, linked, origin from identity_constraint where record_a = any($1)
			and revoked_at is null
		union all
		select record_a, record_b, linked, origin from identity_constraint where record_b = any($1)
			and revoked_at is null`,
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

// candidateSets parts what was gathered into what has nothing to do with each other.
func (n *candidates) candidateSets() []inventory.CandidateSet {
	return n.groupBy(slices.Sorted(maps.Keys(n.evidence)), n.groups())
}

// groups are the records that have something to do with each other.
func (n *candidates) groups() union {
	records := slices.Sorted(maps.Keys(n.evidence))
	groups := newUnion(records)
	byDefaultCI := map[string]int64{}
	byIdentifier := map[inventory.Identifier]int64{}
	for _, record := range records {
		w := n.evidence[record]
		groups.join(firstOf(byDefaultCI, w.DefaultCI, record), record)
		for _, interval := range w.Identifiers {
			if n.searched[interval.Identifier] && !n.overShared[interval.Identifier] {
				groups.join(firstOf(byIdentifier, interval.Identifier, record), record)
			}
		}
	}
	for _, c := range n.constraints {
		groups.join(c.A, c.B)
	}
	return groups
}

func (n *candidates) groupBy(records []int64, groups union) []inventory.CandidateSet {
	var parts []inventory.CandidateSet
	number := map[int64]int{}
	overShared := slices.Sorted(maps.Keys(n.overShared))
	for _, record := range records {
		root := groups.find(record)
		if root == record { // the smallest of its group comes first
			number[root] = len(parts)
			parts = append(parts, inventory.CandidateSet{OverShared: overShared})
		}
		part := &parts[number[root]]
		part.Records = append(part.Records, n.evidence[record])
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
