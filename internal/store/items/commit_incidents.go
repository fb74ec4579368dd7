package items

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/musterhq/muster/internal/inventory"
)

// incidentRows gathers what the ratchet found out about a group.
type incidentRows struct {
	records []int64
	at      []time.Time
	types   []string
	details []string
}

func (r *incidentRows) add(c inventory.Change, at time.Time) error {
	if c.Incident == nil {
		return nil
	}
	detail, err := json.Marshal(c.Incident.Detail)
	if err != nil {
		return fmt.Errorf("encode incident: %w", err)
	}
	r.records, r.at = append(r.records, c.Record), append(r.at, at)
	r.types, r.details = append(r.types, c.Incident.Type), append(r.details, string(detail))
	return nil
}

func (r *incidentRows) queue(batch *pgx.Batch) {
	if len(r.records) == 0 {
		return
	}
	batch.Queue(`
		insert into sync_incident (record_id, at, type, detail)
		select * from unnest($1::bigint[], $2::timestamptz[], $3::text[], $4::jsonb[])`,
		r.records, r.at, r.types, r.details)
}
