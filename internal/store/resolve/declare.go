package resolve

import (
	"cmp"
	"context"
	"fmt"
	"maps"

	"github.com/google/uuid"

	"github.com/musterhq/muster/internal/inventory"
	"github.com/musterhq/muster/internal/reconcile"
	"github.com/musterhq/muster/internal/store/cmdb"
	"github.com/musterhq/muster/internal/store/db"
)

// CreateCI creates a CI that a person declares and returns its id. If its identifiers are those of
// a known CI, it is that one.
func (s *Store) CreateCI(ctx context.Context, c inventory.NewCI, actor inventory.Actor) (string, error) {
	attributes, err := s.cmdb.CheckAttributes(ctx, c.Class, c.Attributes)
	if err != nil {
		return "", err
	}
	if c.Name != "" {
		attributes[inventory.AttributeName] = c.Name
	}
	defaultCI, err := uuid.NewV7()
	if err != nil {
		return "", fmt.Errorf("make id of ci: %w", err)
	}
	var ci string
	err = s.resolve(ctx, actor, func(ctx context.Context, r *resolution) error {
		record, err := r.manualRecord(ctx, defaultCI.String(), r.baseClassOf(c.Class))
		if err != nil {
			return err
		}
		ci, err = r.declare(ctx, record, c.Class, attributes)
		return err
	})
	return ci, err
}

// DeclareCI stores what a person declares for a CI, beside what is observed of it.
func (s *Store) DeclareCI(ctx context.Context, id string, d inventory.Declaration, actor inventory.Actor) error {
	return s.resolve(ctx, actor, func(ctx context.Context, r *resolution) error {
		current, class, err := r.currentCI(ctx, id)
		if err != nil {
			return err
		}
		record, err := r.manualRecord(ctx, current, r.baseClassOf(class))
		if err != nil {
			return err
		}
		observed, attributes, err := r.declared(ctx, record)
		if err != nil {
			return err
		}
		if d.Class != nil {
			observed, class = *d.Class, cmp.Or(*d.Class, class)
			if err := r.checkClass(ctx, current, class); err != nil {
				return err
			}
		}
		checked, err := cmdb.CheckAttributes(ctx, r.tx, class, present(d.Attributes))
		if err != nil {
			return err
		}
		maps.Copy(attributes, checked)
		for attribute, value := range d.Attributes {
			if value == nil {
				delete(attributes, attribute)
			}
		}
		if d.Name != nil {
			attributes[inventory.AttributeName] = *d.Name
			if *d.Name == "" {
				delete(attributes, inventory.AttributeName)
			}
		}
		_, err = r.declare(ctx, record, observed, attributes)
		return err
	})
}

func present(values map[string]any) map[string]any {
	kept := make(map[string]any, len(values))
	for attribute, value := range values {
		if value != nil {
			kept[attribute] = value
		}
	}
	return kept
}

// declare applies what people declare for a CI and returns its id.
func (r *resolution) declare(
	ctx context.Context, record int64, class string, attributes inventory.Attributes,
) (string, error) {
	r.updated.add(record)
	observation := inventory.Observation{Record: record, Observed: inventory.Observed{
		Class: class, Attributes: attributes, Identifiers: reconcile.IdentifiersOf(r.baseClassOf(class), attributes),
	}}
	if err := r.applyObservations(ctx, []inventory.Observation{observation}); err != nil {
		return "", err
	}
	if err := r.assign(ctx); err != nil {
		return "", err
	}
	assignments, err := r.assignments(ctx, []int64{record})
	return assignments[record].CI, err
}

// manualRecord returns the record of what people declare for a CI. Its default CI is that of the
// record that the CI was created for, so that both move together.
func (r *resolution) manualRecord(ctx context.Context, ci, baseClass string) (int64, error) {
	key, err := uuid.Parse(ci)
	if err != nil {
		return 0, &inventory.Error{Code: inventory.CodeInvalid, Message: "not an id: " + ci}
	}
	var record int64
	err = r.tx.QueryRow(ctx, `
		with made as (
			insert into source_record (source, native_key, label, base_class, default_ci, created_at, seen_at)
			values ($1, $2, $3, $4, $5, $6, $6)
			on conflict (native_key, source) do nothing
			returning id
		)
		select id from made union all select id from source_record where source = $1 and native_key = $2`,
		inventory.SourceManual, key[:], ci, baseClass, ci, r.at).Scan(&record)
	if err != nil {
		return 0, fmt.Errorf("find manual record: %w", err)
	}
	return record, nil
}

// declared returns what people have declared so far.
func (r *resolution) declared(ctx context.Context, record int64) (string, inventory.Attributes, error) {
	var class string
	var encoded []byte
	err := r.tx.QueryRow(ctx, `
		select class, attributes from record_version where record_id = $1 and valid_to = 'infinity'`,
		record).Scan(&class, &encoded)
	if db.IsNoRows(err) {
		return "", inventory.Attributes{}, nil
	}
	if err != nil {
		return "", nil, fmt.Errorf("read declared values: %w", err)
	}
	attributes, err := db.DecodeAttributes(encoded)
	return class, attributes, err
}

// currentCI returns the CI that an id stands for now, and its class. A retired CI is not found. If
// the CI changed since the actor read it, it returns an inventory.Error with CodeStale.
func (r *resolution) currentCI(ctx context.Context, id string) (ci, class string, err error) {
	found, err := cmdb.FindCI(ctx, r.tx, id, inventory.Page{})
	if err != nil {
		return "", "", err
	}
	if found.Retired {
		return "", "", db.NotFound("there is no ci %s", id)
	}
	if saw := r.actor.Saw; !saw.IsZero() && !saw.Equal(found.ValidFrom) {
		return "", "", &inventory.Error{Code: inventory.CodeStale, Message: "the CI changed since it was read"}
	}
	return found.ID, found.Class, nil
}
