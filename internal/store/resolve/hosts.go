package resolve

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/musterhq/muster/internal/inventory"
)

// hosts finds the machines that containers run on: a container observes the hardware identifiers of
// its host. It looks up the hosts of the observed containers, and the containers without a host on
// the observed machines.
func (r *resolution) hosts(ctx context.Context, observations []inventory.Observation) ([]*discoveredComponent, error) {
	updated := make([]int64, len(observations))
	for i, t := range observations {
		updated[i] = t.Record
	}
	rows, err := r.tx.Query(ctx, `
		(
			select distinct on (g.record_id) g.record_id, h.record_id
			from evidence g
			join evidence h on h.identifiers && g.hosts
			join source_record s on s.id = h.record_id and s.base_class = $2
			join assignment m on m.record_id = s.id and m.valid_to = 'infinity'
			where g.record_id = any($1) and g.hosts <> '{}' and h.record_id <> g.record_id
			order by g.record_id, s.source <> $3, h.record_id
		)
		union
		select g.record_id, h.record_id
		from evidence h
		join source_record s on s.id = h.record_id and s.base_class = $2
		join evidence g on g.hosts && h.identifiers and g.hosts <> '{}'
		where h.record_id = any($1) and g.record_id <> h.record_id and not exists (
			select from relationship l where l.observer = g.record_id and l.type = $4 and l.valid_to = 'infinity'
		)`, updated, inventory.ClassComputer, inventory.SourceAgent, inventory.RelationshipHostedOn)
	if err != nil {
		return nil, fmt.Errorf("find hosts: %w", err)
	}
	var hosts []*discoveredComponent
	var guest, host int64
	_, err = pgx.ForEachRow(rows, []any{&guest, &host}, func() error {
		hosts = append(hosts, &discoveredComponent{
			Component: inventory.Component{
				Relationship: inventory.RelationshipHostedOn,
				Inverse:      true,
				Key:          "host",
			}, observer: guest, record: host,
		})
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("find hosts: %w", err)
	}
	return hosts, nil
}
