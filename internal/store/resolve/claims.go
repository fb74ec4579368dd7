package resolve

import (
	"github.com/jackc/pgx/v5"

	"github.com/musterhq/muster/internal/identify"
	"github.com/musterhq/muster/internal/inventory"
)

// claimRows gathers the identifiers that records report for the first time. Records of different
// base classes are never one CI, so an identifier is claimed in a base class; a record without one
// claims it in all.
type claimRows struct {
	records     []int64
	classes     []string
	identifiers []string
	pending     map[int64]int // per new record: how many of its identifiers are not known to be its own
}

// add notes the identifiers of a record by which records are looked up.
func (c *claimRows) add(
	record int64, isNew bool, class string, parents map[string]string, history []inventory.IdentifierHistory,
) {
	classes := []string{class}
	if class == "" {
		classes, isNew = baseClasses(parents), false
	}
	count := 0
	for _, h := range history {
		if !identify.IsBlockingKey(h.Identifier) {
			continue
		}
		for _, class := range classes {
			c.records, c.classes = append(c.records, record), append(c.classes, class)
			c.identifiers = append(c.identifiers, string(h.Identifier))
		}
		count++
	}
	if isNew {
		c.pending[record] = count
	}
}

// baseClasses returns the classes directly below the root.
func baseClasses(parents map[string]string) []string {
	var classes []string
	for class, parent := range parents {
		if parent == inventory.RootClass {
			classes = append(classes, class)
		}
	}
	return classes
}

func (c *claimRows) queue(batch *pgx.Batch) {
	if len(c.records) == 0 {
		return
	}
	batch.Queue(`select claim_identifiers($1::text[], $2::text[], $3::bigint[])`,
		c.classes, c.identifiers, c.records).Query(func(rows pgx.Rows) error {
		var record int64
		_, err := pgx.ForEachRow(rows, []any{&record}, func() error {
			if _, isNew := c.pending[record]; isNew {
				c.pending[record]--
			}
			return nil
		})
		return err
	})
}

// isolated reports whether a record is new and nothing connects it with another one: no identifier,
// no default CI and no constraint. So it has no candidates, whatever commits meanwhile.
func (c *claimRows) isolated(record int64) bool {
	pending, isNew := c.pending[record]
	return isNew && pending == 0
}
