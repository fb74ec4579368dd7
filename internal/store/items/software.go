package items

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/musterhq/muster/internal/inventory"
)

// softwareFacts are the facts of an item of software that have columns of their own. Items with the
// same four values are one title in one version, whatever their architecture.
type softwareFacts struct {
	Name      string `json:"name"`
	Version   string `json:"version"`
	Publisher string `json:"publisher"`
	Source    string `json:"source"`
}

// softwareRows gathers the software that new items are installations of.
type softwareRows struct {
	items                                []inventory.ItemID
	digests                              [][16]byte
	names, versions, publishers, sources []string
}

func (r *softwareRows) add(id inventory.ItemID, facts []byte) error {
	var f softwareFacts
	if err := json.Unmarshal(facts, &f); err != nil {
		return fmt.Errorf("decode software: %w", err)
	}
	encoded, err := json.Marshal(f)
	if err != nil {
		return fmt.Errorf("encode software: %w", err)
	}
	sum := sha256.Sum256(encoded)
	r.items, r.digests = append(r.items, id), append(r.digests, [16]byte(sum[:16]))
	r.names, r.versions = append(r.names, f.Name), append(r.versions, f.Version)
	r.publishers, r.sources = append(r.publishers, f.Publisher), append(r.sources, f.Source)
	return nil
}

// Rows are inserted in the order of their digests, so that concurrent collectors cannot deadlock.
const (
	insertSoftware = `
		insert into software (digest, name, version, publisher, source, is_title)
		select digest, name, version, publisher, source,
			row_number() over (partition by name, publisher order by digest) = 1 and not exists (
				select from software t
				where left(t.name, 200) = left(n.name, 200) and t.name = n.name and t.publisher = n.publisher
			)
		from (
			select distinct on (digest) *
			from unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[])
				u (digest, name, version, publisher, source)
			order by digest
		) n
		order by digest
		on conflict (digest) do nothing`

	insertSoftwareItems = `
		insert into software_item (item_id, software_id)
		select n.item_id, s.id
		from unnest($1::integer[], $2::uuid[]) n (item_id, digest)
		join software s on s.digest = n.digest`
)

func (r *softwareRows) insert(ctx context.Context, tx pgx.Tx) error {
	if len(r.items) == 0 {
		return nil
	}
	if _, err := tx.Exec(ctx, insertSoftware, r.digests, r.names, r.versions, r.publishers, r.sources); err != nil {
		return fmt.Errorf("insert software: %w", err)
	}
	if _, err := tx.Exec(ctx, insertSoftwareItems, r.items, r.digests); err != nil {
		return fmt.Errorf("insert software items: %w", err)
	}
	return nil
}
