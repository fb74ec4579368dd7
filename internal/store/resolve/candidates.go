package resolve

import (
	"context"
	"slices"

	"github.com/jackc/pgx/v5"

	"github.com/musterhq/muster/internal/identify"
	"github.com/musterhq/muster/internal/inventory"
)

// candidates are the records that are compared with each other: those whose assignment may change,
// and all that share an identifier, a default CI or a constraint with them, directly or through
// others.
//
// It is the input of the partition. Its own input is the records whose assignment may change.
type candidates struct {
	identify.Block

	assigned    map[int64]currentAssignment
	constrained map[[2]int64]bool // pairs of records whose constraint is in the block
	cut         map[int64]bool    // records whose candidate set has too many records to expand it
}

// currentAssignment is the assignment of a record before the resolution.
type currentAssignment struct {
	CI                string
	Primary           bool
	PreviousCIs       []string
	Rule              string // of the last decision
	LivenessDependent bool
	Retired           bool // the CI is
	Disposed          bool // the CI is, by its life-cycle state
}

func newCandidates() *candidates {
	return &candidates{
		assigned: map[int64]currentAssignment{}, constrained: map[[2]int64]bool{}, cut: map[int64]bool{},
		Block: identify.Block{
			Evidence: map[int64]inventory.RecordEvidence{}, Searched: map[inventory.Identifier]bool{},
			OverShared: map[inventory.Identifier]bool{},
		},
	}
}

// candidateSearch reads candidates from the database.
type candidateSearch struct {
	*resolution
	*candidates
}

// findCandidates reads the candidates of records, until no further record shares anything with
// them.
func (r *resolution) findCandidates(ctx context.Context, records []int64) (*candidates, error) {
	n := candidateSearch{r, newCandidates()}
	for len(records) > 0 {
		if err := n.load(ctx, records); err != nil {
			return nil, err
		}
		// An isolated record shares nothing with others.
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
			if _, known := n.Evidence[record]; !known {
				records = append(records, record)
			}
		}
		slices.Sort(records)
	}
	return n.candidates, nil
}

// withinBounds returns the records whose candidate set may still grow.
func (n *candidates) withinBounds(records []int64) []int64 {
	growing, cut := n.Expandable(records)
	for _, record := range cut {
		n.cut[record] = true
	}
	return growing
}

// expand finds the records that share something with records, which were loaded just now.
func (n candidateSearch) expand(ctx context.Context, records []int64) (map[int64]bool, error) {
	found := map[int64]bool{}
	var identifiers, defaultCIs []string
	for _, record := range records {
		w, ok := n.Evidence[record]
		if !ok {
			continue
		}
		defaultCIs = append(defaultCIs, w.DefaultCI)
		for _, interval := range w.Identifiers {
			if !n.Searched[interval.Identifier] && identify.IsBlockingKey(interval.Identifier) {
				n.Searched[interval.Identifier] = true
				identifiers = append(identifiers, string(interval.Identifier))
			}
		}
	}
	batch := &pgx.Batch{}
	n.queueByIdentifier(batch, identifiers, found)
	n.queueByDefaultCI(batch, defaultCIs, found)
	n.queueConstraints(batch, records, found)
	return found, n.send(ctx, "find candidates", batch)
}

func (n candidateSearch) queueByIdentifier(batch *pgx.Batch, identifiers []string, found map[int64]bool) {
	if len(identifiers) == 0 {
		return
	}
	// A record without a base class is found in each of them.
	batch.Queue(`
		select distinct i.identifier, h.record_id
		from unnest($1::text[]) i (identifier)
		cross join unnest($2::text[]) c (base_class)
		cross join lateral (
			select h.record_id
			from identifier_holder h
			join evidence e on e.record_id = h.record_id and e.identifiers @> array[i.identifier]
			where h.hash = identifier_hash(c.base_class, i.identifier)
			limit $3
		) h`,
		identifiers, baseClasses(n.parents), identify.MaxRecordsPerIdentifier+1).Query(func(rows pgx.Rows) error {
		holdersOf := map[inventory.Identifier][]int64{}
		var identifier inventory.Identifier
		var record int64
		_, err := pgx.ForEachRow(rows, []any{&identifier, &record}, func() error {
			holdersOf[identifier] = append(holdersOf[identifier], record)
			return nil
		})
		for identifier, holders := range holdersOf {
			if len(holders) > identify.MaxRecordsPerIdentifier {
				n.OverShared[identifier] = true
				continue
			}
			for _, record := range holders {
				found[record] = true
			}
		}
		return err
	})
}

func (n candidateSearch) queueByDefaultCI(batch *pgx.Batch, defaultCIs []string, found map[int64]bool) {
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

func (n candidateSearch) queueConstraints(batch *pgx.Batch, records []int64, found map[int64]bool) {
	batch.Queue(`
		select record_a, record_b, linked, origin from identity_constraint
			where record_a = any($1) and revoked_at is null
		union all
		select record_a, record_b, linked, origin from identity_constraint
			where record_b = any($1) and revoked_at is null`, records).Query(func(rows pgx.Rows) error {
		var c inventory.Constraint
		_, err := pgx.ForEachRow(rows, []any{&c.A, &c.B, &c.Linked, &c.Origin}, func() error {
			if pair := [2]int64{c.A, c.B}; !n.constrained[pair] {
				n.constrained[pair] = true
				n.Constraints = append(n.Constraints, c)
			}
			found[c.A], found[c.B] = true, true
			return nil
		})
		return err
	})
}
