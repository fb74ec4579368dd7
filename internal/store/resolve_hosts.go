package store

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/musterhq/muster/internal/inventory"
)

// hostedOn is the relationship of a container to the machine that it runs on.
const hostedOn = "hosted_on"

// hosts finds the machines that containers run on: those whose hardware they see.
func (r *resolution) hosts(ctx context.Context, testimonies []inventory.Testimony) ([]*seenPart, error) {
	var guests []int64
	var tokens []string
	for _, t := range testimonies {
		for _, rejection := range r.rejected[t.Record] {
			if rejection.Host != "" {
				guests, tokens = append(guests, t.Record), append(tokens, string(rejection.Host))
			}
		}
	}
	if len(guests) == 0 {
		return nil, nil
	}
	rows, err := r.tx.Query(ctx, `
		select distinct on (g.record) g.record, e.record_id
		from unnest($1::bigint[], $2::text[]) g (record, token)
		join evidence e on e.tokens @> array[g.token]
		join source_record h on h.id = e.record_id and h.kind = $3
		join membership m on m.record_id = h.id and m.valid_to = 'infinity'
		where e.record_id <> g.record
		order by g.record, h.source <> $4, e.record_id`, guests, tokens, kindComputer, sourceAgent)
	if err != nil {
		return nil, fmt.Errorf("find hosts: %w", err)
	}
	var hosts []*seenPart
	var guest, host int64
	_, err = pgx.ForEachRow(rows, []any{&guest, &host}, func() error {
		hosts = append(hosts, &seenPart{
			Part: inventory.Part{Relationship: hostedOn, Inverse: true, Key: "host"}, observer: guest, record: host, host: true,
		})
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("find hosts: %w", err)
	}
	return hosts, nil
}
