package resolve

import (
	"context"
	"crypto/sha256"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/musterhq/muster/internal/identify"
	"github.com/musterhq/muster/internal/inventory"
	"github.com/musterhq/muster/internal/store/db"
)

// discoveredComponent is a component as one record observes it, and the record that it gets.
type discoveredComponent struct {
	inventory.Component

	observer   int64
	key        string
	identifier inventory.Identifier // that identifies it anywhere; "": it is known by its location only
	record     int64
}

// resolveComponents is the step that follows the assignment. Its input is the components in the
// observations; its output is their records, which are assigned to CIs, and their relationships to
// the records that observe them. A component with an honest identifier is one CI wherever it is
// observed; any other is known by its location.
func (r *resolution) resolveComponents(ctx context.Context, observations []inventory.Observation) error {
	var discovered, named []*discoveredComponent
	for _, t := range observations {
		for _, component := range t.Observed.Components {
			p := &discoveredComponent{Component: component, observer: t.Record}
			if component.By != "" {
				named = append(named, p)
				continue
			}
			p.identifier = r.rules.ComponentIdentifier(component.Identifiers)
			discovered = append(discovered, p)
		}
	}
	held, err := r.observed(ctx, observations)
	if err != nil {
		return err
	}
	hosts, err := r.hosts(ctx, observations)
	if err != nil {
		return err
	}
	if len(discovered)+len(named)+len(hosts)+len(held) == 0 {
		return nil
	}
	if err := r.mayHost(hosts); err != nil {
		return err
	}
	discovered, err = r.separateShared(ctx, discovered)
	if err != nil {
		return err
	}
	known, unknown := r.lookUp(named, held)
	discovered = append(discovered, unknown...)
	if err := r.recordComponents(ctx, discovered); err != nil {
		return err
	}
	if err := r.applyComponents(ctx, discovered); err != nil {
		return err
	}
	return r.relate(ctx, slices.Concat(discovered, known, hosts), held, partial(observations))
}

// partial returns the records whose relationships do not end: they report only some of them.
func partial(observations []inventory.Observation) map[int64]bool {
	records := map[int64]bool{}
	for _, t := range observations {
		if t.Observed.Partial {
			records[t.Record] = true
		}
	}
	return records
}

// isBounded reports whether the component is known by an identifier, and only few CIs can have it:
// whether it is at a further CI depends on where it is observed.
func (p *discoveredComponent) isBounded() bool {
	return p.identifier != "" && !identify.IsShareable(p.Class)
}

func (p *discoveredComponent) setKey() {
	p.key = identify.ComponentKey(p.Component, p.identifier, p.observer)
}

func componentKey(key string) []byte {
	hash := sha256.Sum256([]byte(key))
	return hash[:]
}

// recordComponents finds or creates the records of components.
func (r *resolution) recordComponents(ctx context.Context, discovered []*discoveredComponent) error {
	if len(discovered) == 0 {
		return nil
	}
	byKey := map[string]*discoveredComponent{}
	for _, p := range discovered {
		byKey[p.key] = p
	}
	var (
		keys                            [][]byte
		labels, baseClasses, defaultCIs []string
		seenAt                          []*time.Time
	)
	for _, key := range slices.Sorted(maps.Keys(byKey)) {
		defaultCI, err := uuid.NewV7()
		if err != nil {
			return fmt.Errorf("make id of component: %w", err)
		}
		p := byKey[key]
		keys, defaultCIs = append(keys, componentKey(key)), append(defaultCIs, defaultCI.String())
		labels, baseClasses = append(labels, p.label()), append(baseClasses, r.baseClassOf(p.Class))
		var seen *time.Time
		if !r.fromFile[p.observer] {
			seen = &r.at
		}
		seenAt = append(seenAt, seen)
	}
	rows, err := db.Collect[componentRecord](ctx, r.tx, "record components", `
		with wanted as (
			select * from unnest($1::bytea[], $2::text[], $3::text[], $4::uuid[], $7::timestamptz[])
				w (native_key, label, base_class, default_ci, seen_at)
		), made as (
			insert into source_record (source, native_key, label, base_class, default_ci, created_at, seen_at)
			select $5, native_key, label, base_class, default_ci, $6, seen_at from wanted
			on conflict (native_key, source) do nothing
			returning native_key, id
		)
		select native_key, id, true as made from made
		union all
		select r.native_key, r.id, false from source_record r join wanted w on w.native_key = r.native_key
			where r.source = $5`,
		keys, labels, baseClasses, defaultCIs, inventory.SourceDiscovery, r.at, seenAt)
	if err != nil {
		return err
	}
	if len(rows) < len(keys) {
		more, err := r.committedMeanwhile(ctx, keys)
		if err != nil {
			return err
		}
		rows = append(rows, more...)
	}
	records := make(map[string]componentRecord, len(rows))
	for _, row := range rows {
		records[string(row.NativeKey)] = row
	}
	var contended []int64
	for _, p := range discovered {
		record := records[string(componentKey(p.key))]
		if !r.exclusive && (record.ID == 0 || !record.Made && p.isBounded()) {
			contended = append(contended, p.observer) // another transaction made it meanwhile
		}
		p.record = record.ID
		r.updated.add(p.record)
		r.observedBy[p.record] = append(r.observedBy[p.record], p.observer)
	}
	return contend(contended...)
}

// componentRecord is the record of a component.
type componentRecord struct {
	NativeKey []byte
	ID        int64
	Made      bool // by this transaction
}

// committedMeanwhile returns the records that another transaction committed while the statement
// that was to create them waited for it: that statement does not see them.
func (r *resolution) committedMeanwhile(ctx context.Context, keys [][]byte) ([]componentRecord, error) {
	if !r.exclusive {
		return nil, nil
	}
	return db.Collect[componentRecord](ctx, r.tx, "find components", `
		select native_key, id, false as made from source_record where native_key = any($1) and source = $2`,
		keys, inventory.SourceDiscovery)
}

// observersOf returns the records that report a component now; of a record that is none, itself.
func (r *resolution) observersOf(record int64) []int64 {
	if observers, is := r.observedBy[record]; is {
		return observers
	}
	return []int64{record}
}

// mayHost returns an error if a container and its host are found and the resolution has no lock:
// either of them may be known, and both sides report the relationship.
func (r *resolution) mayHost(hosts []*discoveredComponent) error {
	if r.exclusive {
		return nil
	}
	var ends []int64
	for _, h := range hosts {
		ends = append(ends, h.observer, h.record)
	}
	return contend(ends...)
}

// label returns the name of the component for people.
func (p *discoveredComponent) label() string {
	if p.identifier != "" {
		return string(p.identifier)
	}
	return p.Key
}

// applyComponents applies what is observed of components. Of several observers of one, the last one
// counts.
func (r *resolution) applyComponents(ctx context.Context, discovered []*discoveredComponent) error {
	byRecord := map[int64]inventory.Observation{}
	for _, p := range discovered {
		identifiers := p.Identifiers
		if p.identifier == "" {
			identifiers = inventory.RawIdentifiers{} // over-shared identifiers do not count
		}
		byRecord[p.record] = inventory.Observation{Record: p.record, Observed: inventory.Observed{
			Class: p.Class, Attributes: p.Attributes, Identifiers: identifiers,
		}}
	}
	var observations []inventory.Observation
	for _, record := range slices.Sorted(maps.Keys(byRecord)) {
		observations = append(observations, byRecord[record])
	}
	if err := r.applyObservations(ctx, observations); err != nil {
		return err
	}
	return r.assign(ctx)
}
