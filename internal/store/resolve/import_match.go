package resolve

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/musterhq/muster/internal/inventory"
	"github.com/musterhq/muster/internal/store/db"
)

// matchOf is the CI that a document says it is about.
func matchOf(record inventory.ImportRecord) (ref reference, says bool) {
	return reference{
			inventory.RootClass,
			record.Match.By,
			record.Match.Value,
		}, record.Match.By != "" &&
			record.Match.Value != ""
}

// references are the CIs that documents name: those that they are about and those that these are
// related to.
func references(records []inventory.ImportRecord) []reference {
	var named []reference
	for _, record := range records {
		if ref, says := matchOf(record); says {
			named = append(named, ref)
		}
		for _, part := range record.Observed.Components {
			if part.By != "" {
				named = append(named, referenceOf(part))
			}
		}
	}
	return named
}

// checkMatch says why a document cannot be about the CI that it names.
func (t *importing) checkMatch(record inventory.ImportRecord) error {
	ref, says := matchOf(record)
	if !says {
		return nil
	}
	cis := t.references[ref]
	if len(cis) == 0 && ref.by == idReference {
		return db.Invalid("there is no CI with the id %s", ref.value)
	}
	if len(cis) > 1 {
		return db.Invalid(
			"there are %d CIs with the %s %s: which one is meant cannot be said",
			len(cis),
			ref.by,
			ref.value,
		)
	}
	if is := t.baseClassOf(record.Observed.Class); len(cis) == 1 && is != "" && cis[0].baseClass != "" &&
		is != cis[0].baseClass {
		return db.Invalid("the CI with the %s %s is a %s, and no %s", ref.by, ref.value, cis[0].baseClass, is)
	}
	return nil
}

// match settles that the documents that are there for the first time are about the CIs that they
// name. Later on they are what they are, whatever they are called: somebody may have parted them
// since.
func (t *importing) match(
	ctx context.Context,
	records []inventory.ImportRecord,
	taken []int,
	ids map[sourceKey]int64,
) error {
	about := map[int64][]int64{}
	var candidates []int64
	for _, i := range taken {
		ref, says := matchOf(records[i])
		if cis := t.references[ref]; says && len(cis) == 1 && len(cis[0].records) > 0 {
			id := ids[keyOf(records[i])]
			about[id], candidates = cis[0].records, append(candidates, id)
		}
	}
	if len(candidates) == 0 {
		return nil
	}
	rows, err := t.tx.Query(ctx, `
		select c.id from unnest($1::bigint[]) c (id)
		where not exists (select from assignment m where m.record_id = c.id)`, candidates)
	if err != nil {
		return fmt.Errorf("find new documents: %w", err)
	}
	fresh, err := pgx.CollectRows(rows, pgx.RowTo[int64])
	if err != nil {
		return fmt.Errorf("find new documents: %w", err)
	}
	batch := &pgx.Batch{}
	for _, id := range fresh {
		for _, record := range about[id] { // whichever of them stays
			t.constrainPair(batch, id, record, true, inventory.OriginList)
		}
	}
	return t.send(ctx, "match documents", batch)
}
