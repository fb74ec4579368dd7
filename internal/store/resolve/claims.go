package resolve

import (
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"slices"

	"github.com/jackc/pgx/v5"

	"github.com/musterhq/muster/internal/identify"
	"github.com/musterhq/muster/internal/inventory"
)

// claimRows gathers the identifiers that records report for the first time.
type claimRows struct {
	claims  []claim
	pending map[int64]int // per new record: how many of its identifiers are not known to be its own
}

type claim struct{ hash, record int64 }

// add notes the identifiers of a record by which records are looked up.
func (c *claimRows) add(record int64, isNew bool, identifiers []inventory.Identifier) {
	count := 0
	for _, identifier := range identifiers {
		if identify.IsBlockingKey(identifier) {
			c.claims = append(c.claims, claim{identifierHash(identifier), record})
			count++
		}
	}
	if isNew {
		c.pending[record] = count
	}
}

// queue claims the identifiers in the order of their hashes, so that two transactions that do so cannot deadlock.
func (c *claimRows) queue(batch *pgx.Batch) {
	if len(c.claims) == 0 {
		return
	}
	slices.SortFunc(c.claims, func(a, b claim) int {
		return cmp.Or(cmp.Compare(a.hash, b.hash), cmp.Compare(a.record, b.record))
	})
	hashes, records := make([]int64, len(c.claims)), make([]int64, len(c.claims))
	for i, claim := range c.claims {
		hashes[i], records[i] = claim.hash, claim.record
	}
	batch.Queue(`
		insert into identifier_claim (hash, record_id)
		select * from unnest($1::bigint[], $2::bigint[])
		on conflict (hash) do nothing
		returning record_id`, hashes, records).Query(func(rows pgx.Rows) error {
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

// isolated reports whether a record is new and nobody else reported one of its identifiers before.
func (c *claimRows) isolated(record int64) bool {
	pending, isNew := c.pending[record]
	return isNew && pending == 0
}

// identifierHash returns the first 8 bytes of the SHA-256 of an identifier.
func identifierHash(identifier inventory.Identifier) int64 {
	hash := sha256.Sum256([]byte(identifier))
	return int64(binary.BigEndian.Uint64(hash[:])) //nolint:gosec // a hash has no sign
}
