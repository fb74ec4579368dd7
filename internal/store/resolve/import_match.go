package resolve

import (
	"context"

	"github.com/jackc/pgx/v5"

	"github.com/musterhq/muster/internal/inventory"
	"github.com/musterhq/muster/internal/store/db"
)

// matchOf returns the reference to the CI that a document is about, if it has one.
func matchOf(record inventory.ImportRecord) (ref reference, has bool) {
	by, value := record.Match.By, record.Match.Value
	return reference{inventory.RootClass, by, value}, by != "" && value != ""
}

// references are the CIs that documents name: those that they are about and those that these are
// related to.
func references(records []inventory.ImportRecord) []reference {
	var named []reference
	for _, record := range records {
		if ref, has := matchOf(record); has {
			named = append(named, ref)
		}
		for _, component := range record.Observed.Components {
			if component.By != "" {
				named = append(named, referenceOf(component))
			}
		}
	}
	return named
}

// checkMatch returns an error if a document cannot be about the CI that it names.
func (t *importing) checkMatch(record inventory.ImportRecord) error {
	ref, has := matchOf(record)
	if !has {
		return nil
	}
	cis := t.references[ref]
	if len(cis) == 0 && ref.by == idReference {
		return db.Invalid("there is no CI with the id %s", ref.value)
	}
	if len(cis) > 1 {
		return db.Invalid("there are %d CIs with the %s %s: the reference is ambiguous", len(cis), ref.by, ref.value)
	}
	is := t.baseClassOf(record.Observed.Class)
	if len(cis) == 1 && is != "" && cis[0].baseClass != "" && is != cis[0].baseClass {
		return db.Invalid("the CI with the %s %s is a %s, not a %s", ref.by, ref.value, cis[0].baseClass, is)
	}
	return nil
}

// match links the records of new documents to the CIs that they name. It does not link older ones
// again, because a person may have separated them since.
func (t *importing) match(
	ctx context.Context, records []inventory.ImportRecord, taken []int, ids map[sourceKey]documentRecord,
) error {
	about := map[int64][]int64{}
	var candidates []int64
	for _, i := range taken {
		ref, has := matchOf(records[i])
		if cis := t.references[ref]; has && len(cis) == 1 && len(cis[0].records) > 0 {
			id := ids[keyOf(records[i])].ID
			about[id], candidates = cis[0].records, append(candidates, id)
		}
	}
	if len(candidates) == 0 {
		return nil
	}
	fresh, err := db.Column[int64](ctx, t.tx, "find new documents", `
		select c.id from unnest($1::bigint[]) c (id)
		where not exists (select from assignment m where m.record_id = c.id)`, candidates)
	if err != nil {
		return err
	}
	batch := &pgx.Batch{}
	for _, id := range fresh {
		for _, record := range about[id] { // whichever of them stays
			t.constrainPair(batch, id, record, true, inventory.OriginList)
		}
	}
	return t.send(ctx, "match documents", batch)
}
