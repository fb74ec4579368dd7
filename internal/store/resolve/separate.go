package resolve

import (
	"context"

	"github.com/jackc/pgx/v5"

	"github.com/musterhq/muster/internal/identify"
	"github.com/musterhq/muster/internal/inventory"
	"github.com/musterhq/muster/internal/store/db"
)

// separateShared removes the identifier of components that are observed at too many CIs at one
// time, so that each location has a component of its own. The components of a held agent have no
// identifier: they are those that the live agent reports.
func (r *resolution) separateShared(
	ctx context.Context, discovered []*discoveredComponent,
) ([]*discoveredComponent, error) {
	var keys [][]byte
	for _, p := range discovered {
		if r.held[p.observer] {
			p.identifier = ""
		}
		p.setKey()
		if p.identifier != "" {
			keys = append(keys, componentKey(p.key))
		}
	}
	if len(keys) == 0 {
		return discovered, nil
	}
	others, err := r.observers(ctx, keys)
	if err != nil {
		return nil, err
	}
	if err := r.mayShare(discovered, others); err != nil {
		return nil, err
	}
	var separated []*discoveredComponent
	for _, p := range discovered {
		known := others[string(componentKey(p.key))]
		full, err := r.overCapacity(ctx, p, inUse(p, discovered, known))
		if err != nil {
			return nil, err
		}
		if !full && !(p.isBounded() && known.shared) {
			continue
		}
		if !known.shared {
			if err := r.separate(ctx, p, known); err != nil {
				return nil, err
			}
			others[string(componentKey(p.key))] = componentLocations{shared: true}
		}
		separated = append(separated, p)
	}
	for _, p := range separated {
		p.identifier = ""
	}
	for _, p := range discovered {
		p.setKey()
	}
	return discovered, nil
}

// mayShare returns an error if a component is known that few CIs can have, and the resolution has
// no lock: the component may have moved.
func (r *resolution) mayShare(discovered []*discoveredComponent, known map[string]componentLocations) error {
	if r.exclusive {
		return nil
	}
	var observers []int64
	for _, p := range discovered {
		if p.isBounded() && known[string(componentKey(p.key))].record != 0 {
			observers = append(observers, p.observer)
		}
	}
	return contend(observers...)
}

// inUse returns the records at which a component is in use, now and before.
func inUse(p *discoveredComponent, discovered []*discoveredComponent, known componentLocations) []int64 {
	var reported []identify.ComponentReport
	for _, other := range discovered {
		if other.key == p.key {
			reported = append(reported, identify.ComponentReport{Observer: other.observer, Idle: other.Idle})
		}
	}
	return identify.ObserversInUse(known.observers, reported)
}

// overCapacity reports whether a component is in use at more CIs than it can be. There are at most
// as many CIs as observers.
func (r *resolution) overCapacity(ctx context.Context, p *discoveredComponent, observers []int64) (bool, error) {
	if p.identifier == "" || !identify.OverCapacity(p.Class, observers) {
		return false, nil
	}
	assignments, err := r.assignments(ctx, observers)
	if err != nil {
		return false, err
	}
	var cis []string
	for _, assignment := range assignments {
		cis = append(cis, assignment.CI)
	}
	return identify.OverCapacity(p.Class, cis), nil
}

// componentLocations is where a component is observed.
type componentLocations struct {
	record    int64
	observers []int64 // where it is in use; not silent: they would report its removal
	shared    bool
}

// observers returns where components are observed, by their keys.
func (r *resolution) observers(ctx context.Context, keys [][]byte) (map[string]componentLocations, error) {
	type observerRow struct {
		NativeKey []byte
		Record    int64
		Observer  *int64
		Shared    bool
	}
	rows, err := db.Collect[observerRow](ctx, r.tx, "find components", `
		select p.native_key, p.id as record, o.observer,
			exists (
				select from finding f where f.type = $3 and f.records @> array[p.id] and f.closed_at is null
			) as shared
		from source_record p
		left join lateral (
			select distinct l.observer
			from (
				select observer from relationship where from_record = p.id and valid_to = 'infinity' and not idle
				union all
				select observer from relationship where to_record = p.id and valid_to = 'infinity' and not idle
			) l
			join source_record o on o.id = l.observer
			left join presence s on s.record_id = o.id
			where greatest(o.seen_at, s.seen_at, o.created_at) > $4::timestamptz - $5::interval
		) o on true
		where p.source = $2 and p.native_key = any($1)`,
		keys, inventory.SourceDiscovery, inventory.FindingSharedComponent, r.at, identify.MovedAfter)
	found := map[string]componentLocations{}
	for _, row := range rows {
		known := found[string(row.NativeKey)]
		known.record, known.shared = row.Record, row.Shared
		if row.Observer != nil {
			known.observers = append(known.observers, *row.Observer)
		}
		found[string(row.NativeKey)] = known
	}
	return found, err
}

// separate creates a component for each location where a shared one was observed. One that is
// observed for the first time gets a record too: the finding that it is shared names the record.
func (r *resolution) separate(ctx context.Context, p *discoveredComponent, known componentLocations) error {
	if known.record == 0 {
		if err := r.recordComponents(ctx, []*discoveredComponent{p}); err != nil {
			return err
		}
		known.record = p.record
	}
	type locationRow struct {
		Observer   int64
		Type       string
		Outward    bool
		Key        string
		Attributes []byte
	}
	rows, err := db.Collect[locationRow](ctx, r.tx, "separate component", `
		select l.observer, l.type, l.from_record = $1 as outward, l.key, v.attributes
		from relationship l
		join record_version v on v.record_id = $1 and v.valid_to = 'infinity'
		where (l.from_record = $1 or l.to_record = $1) and l.valid_to = 'infinity' and l.observer is not null
		order by l.id`, known.record)
	if err != nil {
		return err
	}
	located := make([]*discoveredComponent, len(rows))
	for i, row := range rows {
		attributes, err := db.DecodeAttributes(row.Attributes)
		if err != nil {
			return err
		}
		located[i] = &discoveredComponent{observer: row.Observer, Component: inventory.Component{
			Class: p.Class, Relationship: row.Type, Inverse: !row.Outward, Key: row.Key, Attributes: attributes,
		}}
		located[i].setKey()
	}
	r.noLongerObserved.add(known.record)
	batch := &pgx.Batch{}
	batch.Queue(`
		update relationship set valid_to = $2
		where (from_record = $1 or to_record = $1) and valid_to = 'infinity' and observer is not null`,
		known.record, r.at)
	r.openFinding(batch, inventory.Finding{
		Type: inventory.FindingSharedComponent, Records: []int64{known.record}, Identifier: p.identifier,
		Text: "observed at too many CIs at one time to be one " + p.Class,
	})
	if err := r.send(ctx, "separate component", batch); err != nil {
		return err
	}
	if err := r.recordComponents(ctx, located); err != nil {
		return err
	}
	if err := r.applyComponents(ctx, located); err != nil {
		return err
	}
	return r.relate(ctx, located, nil, nil)
}
