package resolve

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/musterhq/muster/internal/identify"
	"github.com/musterhq/muster/internal/inventory"
	"github.com/musterhq/muster/internal/store/db"
)

// edge is a relationship as an observer sees it.
type edge struct {
	Type     string
	From, To int64
	Observer int64
}

// heldEdge is a current relationship that was observed before.
type heldEdge struct {
	ID   int64
	Idle bool
}

func (p *discoveredComponent) edge() edge {
	e := edge{Type: p.Relationship, From: p.record, To: p.observer, Observer: p.observer}
	if p.Inverse {
		e.From, e.To = e.To, e.From
	}
	return e
}

// mover returns the record of a component that has left its other locations; 0: it may be at them
// too.
func (p *discoveredComponent) mover() int64 {
	if !identify.EndsOtherLocations(p.Component) {
		return 0
	}
	return p.record
}

// observed returns the current relationships that the records reported.
func (r *resolution) observed(ctx context.Context, observations []inventory.Observation) (map[edge]heldEdge, error) {
	var observers []int64
	for _, t := range observations {
		observers = append(observers, t.Record)
	}
	type heldRow struct {
		heldEdge
		edge
	}
	rows, err := db.Collect[heldRow](ctx, r.tx, "read relationships", `
		select id, idle, type, from_record as "from", to_record as "to", observer from relationship
		where observer = any($1) and valid_to = 'infinity'`, observers)
	held := make(map[edge]heldEdge, len(rows))
	for _, row := range rows {
		held[row.edge] = row.heldEdge
	}
	return held, err
}

// relate begins the relationships that are observed for the first time, and ends those that are no
// longer observed. An observer with a partial report ends none.
func (r *resolution) relate(
	ctx context.Context, discovered []*discoveredComponent, held map[edge]heldEdge, partial map[int64]bool,
) error {
	var begun edgeRows
	var turned, ended []int64 // turned: the component became idle, or is in use again
	related := map[edge]bool{}
	for _, p := range discovered {
		e := p.edge()
		h, before := held[e]
		switch {
		case before:
			delete(held, e)
			if h.Idle != p.Idle {
				turned = append(turned, h.ID)
			}
		case !related[e]:
			begun.add(e, p)
			r.relationshipsChanged.add(e.Observer)
		}
		related[e] = true
	}
	for e, h := range held {
		if !partial[e.Observer] {
			ended = append(ended, h.ID)
			r.relationshipsChanged.add(e.Observer)
			r.noLongerObserved.add(e.From, e.To)
		}
	}
	batch := &pgx.Batch{}
	if len(turned) > 0 {
		batch.Queue(`update relationship set idle = not idle where id = any($1)`, turned)
	}
	if len(ended) > 0 {
		batch.Queue(`update relationship set valid_to = $2 where id = any($1)`, ended, r.at)
	}
	begun.queue(batch, r.at)
	return r.send(ctx, "write relationships", batch)
}

// edgeRows are relationships that begin, column by column.
type edgeRows struct {
	types, keys         []string
	from, to, observers []int64
	declared, idle      []bool
	movers              []int64
}

func (r *edgeRows) add(e edge, p *discoveredComponent) {
	r.types, r.keys = append(r.types, e.Type), append(r.keys, p.Key)
	r.from, r.to, r.observers = append(r.from, e.From), append(r.to, e.To), append(r.observers, e.Observer)
	r.declared, r.idle = append(r.declared, p.By != ""), append(r.idle, p.Idle)
	r.movers = append(r.movers, p.mover())
}

func (r *edgeRows) queue(batch *pgx.Batch, at time.Time) {
	if len(r.types) == 0 {
		return
	}
	// A component that moved here has left the observers that were silent since.
	batch.Queue(`
		update relationship l set valid_to = $3
		from unnest($1::bigint[], $2::bigint[]) n (component, observer), source_record o
		left join presence s on s.record_id = o.id
		where (l.from_record = n.component or l.to_record = n.component) and l.observer <> n.observer
			and l.valid_to = 'infinity'
			and o.id = l.observer and o.source <> $5
			and greatest(o.seen_at, s.seen_at, o.created_at) <= $3::timestamptz - $4::interval`,
		r.movers, r.observers, at, identify.MovedAfter, inventory.SourceDiscovery)
	batch.Queue(`
		insert into relationship (type, from_record, to_record, observer, key, declared, idle, valid_from)
		select n.*, $8
		from unnest($1::text[], $2::bigint[], $3::bigint[], $4::bigint[], $5::text[], $6::boolean[], $7::boolean[]) n`,
		r.types, r.from, r.to, r.observers, r.keys, r.declared, r.idle, at)
}
