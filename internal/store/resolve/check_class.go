package resolve

import (
	"context"
	"fmt"
	"slices"

	"github.com/google/uuid"

	"github.com/musterhq/muster/internal/inventory"
	"github.com/musterhq/muster/internal/store/cmdb"
	"github.com/musterhq/muster/internal/store/db"
)

// checkClass returns an error if a CI cannot have a class: if its other sources report another base
// class, or if its relationships are not for the class.
func (r *resolution) checkClass(ctx context.Context, ci, class string) error {
	above, err := cmdb.ClassAndAbove(ctx, r.tx, class)
	if err != nil {
		return err
	}
	own := uuid.MustParse(ci) // native key of the record of what people declare for it
	var seen *string
	err = r.tx.QueryRow(ctx, `
		select min(s.base_class)
		from assignment m join source_record s on s.id = m.record_id
		where m.ci_id = $1 and m.valid_to = 'infinity' and (s.source <> $2 or s.native_key <> $3)
			and s.base_class not in ('', $4)`,
		ci, inventory.SourceManual, own[:], r.baseClassOf(class)).Scan(&seen)
	if err != nil {
		return fmt.Errorf("read base classes of ci: %w", err)
	}
	if seen != nil {
		return db.Invalid("its sources report that it is a %s: its class must be that or one below it, which %s is not",
			*seen, class)
	}
	return r.checkRelated(ctx, ci, class, above)
}

func (r *resolution) checkRelated(ctx context.Context, ci, class string, above []string) error {
	type endRow struct{ Type, Class string }
	ends, err := db.Collect[endRow](ctx, r.tx, "read relationships of ci", `
		select y.name as type, y.from_class as class
		from assignment m join relationship l on l.from_record = m.record_id join relationship_type y on y.name = l.type
		where m.ci_id = $1 and m.valid_to = 'infinity' and l.valid_to = 'infinity'
		union
		select y.name, y.to_class
		from assignment m join relationship l on l.to_record = m.record_id join relationship_type y on y.name = l.type
		where m.ci_id = $1 and m.valid_to = 'infinity' and l.valid_to = 'infinity'`, ci)
	for _, end := range ends {
		if !slices.Contains(above, end.Class) {
			return db.Invalid("it has a relationship %s, which is for a %s: %s is not one", end.Type, end.Class, class)
		}
	}
	return err
}
