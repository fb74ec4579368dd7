package resolve

import (
	"context"

	"github.com/musterhq/muster/internal/inventory"
	"github.com/musterhq/muster/internal/store/db"
)

// hosts finds the machines that containers run on: a container observes the hardware identifiers of
// its host. It looks up the hosts of the observed containers, and the containers without a host on
// the observed machines.
func (r *resolution) hosts(ctx context.Context, observations []inventory.Observation) ([]*discoveredComponent, error) {
	updated := make([]int64, len(observations))
	for i, t := range observations {
		updated[i] = t.Record
	}
	type hostRow struct{ Guest, Host int64 }
	rows, err := db.Collect[hostRow](ctx, r.tx, "find hosts", `
		(
			select distinct on (g.record_id) g.record_id as guest, h.record_id as host
			from evidence g
			cross join lateral unnest(g.hosts) i (identifier)
			join identifier_holder k on k.hash = identifier_hash($2, i.identifier)
			join evidence h on h.record_id = k.record_id and h.identifiers @> array[i.identifier]
			join source_record s on s.id = h.record_id and s.base_class = $2
			join assignment m on m.record_id = s.id and m.valid_to = 'infinity'
			where g.record_id = any($1) and h.record_id <> g.record_id
			order by g.record_id, s.source <> $3, h.record_id
		)
		union
		select g.record_id, h.record_id
		from evidence h
		join source_record s on s.id = h.record_id and s.base_class = $2
		join evidence g on g.hosts && h.identifiers
		where h.record_id = any($1) and g.record_id <> h.record_id and not exists (
			select from relationship l where l.observer = g.record_id and l.type = $4 and l.valid_to = 'infinity'
		)`, updated, inventory.ClassComputer, inventory.SourceAgent, inventory.RelationshipHostedOn)
	hosts := make([]*discoveredComponent, len(rows))
	for i, row := range rows {
		component := inventory.Component{Relationship: inventory.RelationshipHostedOn, Inverse: true, Key: "host"}
		hosts[i] = &discoveredComponent{Component: component, observer: row.Guest, record: row.Host}
	}
	return hosts, err
}
