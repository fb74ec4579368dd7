package cmdb

import (
	"context"
	"maps"
	"reflect"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/musterhq/muster/internal/inventory"
	"github.com/musterhq/muster/internal/store/db"
)

// The changes of a CIDiff.
const (
	diffAdded   = "added"
	diffRemoved = "removed"
	diffChanged = "changed"
)

// diffBatch is how many CIs are compared at a time, which bounds what is held of them.
const diffBatch = 500

// Diff compares what CIs were at two instants, in the order of their ids, which are their positions. CIs without a
// difference are not visited. A CI is of the class if it was so at one of the instants. Items are compared of CIs that
// were there at both, in the sections that were known at both; what came and went in between is no difference. A zero To
// is now.
func (s *Store) Diff(ctx context.Context, q inventory.BaselineDiff, visit inventory.Visit[inventory.CIDiff]) error {
	q.AsOf = time.Time{}
	if q.To.IsZero() {
		var err error
		if q.To, err = s.Now(ctx); err != nil {
			return err
		}
	}
	if q.From.After(q.To) {
		return db.Invalid("a difference goes from the earlier instant to the later")
	}
	if err := s.WaitUntilVisible(ctx, q.To); err != nil {
		return err
	}
	after := uuid.Nil.String()
	if q.After != nil {
		id, err := db.UUIDPosition(q.After)
		if err != nil {
			return err
		}
		after = id.String()
	}
	return s.Sweep(ctx, func(tx pgx.Tx) error {
		classes, err := ClassAndBelow(ctx, tx, q.Class)
		if err != nil {
			return err
		}
		return (&differ{tx: tx, query: q, classes: classes, after: after, visit: visit}).run(ctx)
	})
}

// DiffSummary gives the sums of a Diff.
func (s *Store) DiffSummary(ctx context.Context, q inventory.BaselineDiff) (inventory.DiffSummary, error) {
	if q.To.IsZero() {
		var err error
		if q.To, err = s.Now(ctx); err != nil {
			return inventory.DiffSummary{}, err
		}
	}
	q.Page, q.ChangedItems = inventory.Page{}, false
	sum := inventory.DiffSummary{From: q.From, To: q.To}
	err := s.Diff(ctx, q, func(d inventory.CIDiff, _ inventory.Position) error {
		switch d.Change {
		case diffAdded:
			sum.Added++
		case diffRemoved:
			sum.Removed++
		default:
			sum.Changed++
		}
		sum.ItemsAdded += d.ItemsAdded
		sum.ItemsRemoved += d.ItemsRemoved
		sum.ItemsChanged += d.ItemsChanged
		return nil
	})
	return sum, err
}

// differ compares CIs batch by batch.
type differ struct {
	tx      pgx.Tx
	query   inventory.BaselineDiff
	classes []string
	after   string
	visit   inventory.Visit[inventory.CIDiff]
	visited int
}

// compared is a CI with its versions at the two instants. Their attributes are read only where they are two versions.
type compared struct {
	ID                           string
	OldClass, OldName            *string
	NewClass, NewName            *string
	OldAttributes, NewAttributes []byte
}

func (c compared) atBoth() bool { return c.OldClass != nil && c.NewClass != nil }

func (d *differ) run(ctx context.Context) error {
	for {
		cis, err := d.next(ctx)
		if err != nil || len(cis) == 0 {
			return err
		}
		diffs, err := d.compare(ctx, cis)
		if err != nil {
			return err
		}
		for _, diff := range diffs {
			if d.query.Limit > 0 && d.visited == d.query.Limit {
				return nil
			}
			d.visited++
			if err := d.visit(diff, inventory.Position{diff.CI.ID}); err != nil {
				return err
			}
		}
		d.after = cis[len(cis)-1].ID
	}
}

// next reads the next CIs that were there at one of the instants.
func (d *differ) next(ctx context.Context) ([]compared, error) {
	return db.Collect[compared](ctx, d.tx, "read CIs", `
		select c.id::text, a.class as old_class, a.name as old_name, b.class as new_class, b.name as new_name,
			case when a.valid_from is distinct from b.valid_from then a.attributes end as old_attributes,
			case when a.valid_from is distinct from b.valid_from then b.attributes end as new_attributes
		from ci c
		left join ci_version a on a.ci_id = c.id and `+during(`@from`)("a")+`
		left join ci_version b on b.ci_id = c.id and `+during(`@to`)("b")+`
		where c.id > @after::uuid and (a.ci_id is not null or b.ci_id is not null)
			and (@classes::text[] is null or a.class = any(@classes) or b.class = any(@classes))
		order by c.id
		limit @limit`,
		db.PlanForArguments, d.args(pgx.NamedArgs{"after": d.after, "classes": d.classes, "limit": diffBatch}))
}

func (d *differ) args(args pgx.NamedArgs) pgx.NamedArgs {
	args["from"], args["to"] = d.query.From, d.query.To
	return args
}

// compare gives the differences of a batch.
func (d *differ) compare(ctx context.Context, cis []compared) ([]inventory.CIDiff, error) {
	items, err := d.items(ctx, cis)
	if err != nil {
		return nil, err
	}
	relationships, err := d.relationships(ctx, cis)
	if err != nil {
		return nil, err
	}
	var diffs []inventory.CIDiff
	for _, c := range cis {
		diff, err := c.diff()
		if err != nil {
			return nil, err
		}
		if err := items[c.ID].addTo(&diff, d.query.ChangedItems); err != nil {
			return nil, err
		}
		diff.Relationships = relationships[c.ID]
		if diff.Change != diffChanged || len(diff.Attributes) > 0 || len(diff.Relationships) > 0 ||
			diff.ItemsAdded+diff.ItemsRemoved+diff.ItemsChanged > 0 {
			diffs = append(diffs, diff)
		}
	}
	return diffs, nil
}

// diff compares the two versions of a CI.
func (c compared) diff() (inventory.CIDiff, error) {
	diff := inventory.CIDiff{Change: diffChanged, CI: inventory.CIRef{ID: c.ID}}
	switch {
	case c.OldClass == nil:
		diff.Change = diffAdded
	case c.NewClass == nil:
		diff.Change = diffRemoved
	}
	before, err := values(c.OldClass, c.OldName, c.OldAttributes)
	if err != nil {
		return diff, err
	}
	after, err := values(c.NewClass, c.NewName, c.NewAttributes)
	if err != nil {
		return diff, err
	}
	diff.CI.Class, diff.CI.Name = deref(c.OldClass), deref(c.OldName)
	if c.NewClass != nil {
		diff.CI.Class, diff.CI.Name = *c.NewClass, deref(c.NewName)
	}
	names := slices.Concat(slices.Collect(maps.Keys(before)), slices.Collect(maps.Keys(after)))
	slices.Sort(names)
	for _, name := range slices.Compact(names) {
		if !reflect.DeepEqual(before[name], after[name]) {
			diff.Attributes = append(diff.Attributes, inventory.ValueDiff{Attribute: name, Old: before[name], New: after[name]})
		}
	}
	return diff, nil
}

func deref(text *string) string {
	if text == nil {
		return ""
	}
	return *text
}

// values are all values of a version, its class and its name among them; of no version there are none.
func values(class, name *string, encoded []byte) (inventory.Attributes, error) {
	attributes := inventory.Attributes{}
	if class == nil {
		return attributes, nil
	}
	if encoded != nil {
		var err error
		if attributes, err = db.DecodeAttributes(encoded); err != nil {
			return nil, err
		}
	}
	attributes["class"] = *class
	if *name != "" {
		attributes[inventory.AttributeName] = *name
	}
	return attributes, nil
}
