package store

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/musterhq/muster/internal/inventory"
)

// deviceRows gathers what a group says of CIs, devices and incidents.
type deviceRows struct {
	newCIs       []string
	newCIRecords []int64
	newCIAt      []time.Time

	cis   []string
	at    []time.Time
	facts [8][]string // the columns of device after valid_to

	incidentRecords          []int64
	incidentAt               []time.Time
	incidentKinds, incidents []string
}

func (r *deviceRows) add(c inventory.Change, at time.Time) error {
	if c.NewCI {
		r.newCIs, r.newCIRecords = append(r.newCIs, c.CI), append(r.newCIRecords, c.Record)
		r.newCIAt = append(r.newCIAt, at)
	}
	if d := c.Device; d != nil {
		r.cis, r.at = append(r.cis, c.CI), append(r.at, at)
		for i, value := range []string{
			d.Class, d.Name, d.Manufacturer, d.Model, d.SerialNumber, d.UUID, d.OSName, d.OSVersion,
		} {
			r.facts[i] = append(r.facts[i], value)
		}
	}
	if c.Incident == nil {
		return nil
	}
	detail, err := json.Marshal(c.Incident.Detail)
	if err != nil {
		return fmt.Errorf("encode incident: %w", err)
	}
	r.incidentRecords, r.incidentAt = append(r.incidentRecords, c.Record), append(r.incidentAt, at)
	r.incidentKinds, r.incidents = append(r.incidentKinds, c.Incident.Kind), append(r.incidents, string(detail))
	return nil
}

func (r *deviceRows) queue(batch *pgx.Batch) {
	if len(r.newCIs) > 0 {
		batch.Queue(`
			insert into ci (id, created_at)
			select * from unnest($1::uuid[], $2::timestamptz[])`, r.newCIs, r.newCIAt)
		batch.Queue(`
			update source_record r set ci_id = n.ci_id
			from unnest($1::bigint[], $2::uuid[]) n (record_id, ci_id)
			where r.id = n.record_id`, r.newCIRecords, r.newCIs)
	}
	if len(r.cis) > 0 {
		batch.Queue(`
			update device d set valid_to = n.at
			from unnest($1::uuid[], $2::timestamptz[]) n (ci_id, at)
			where d.ci_id = n.ci_id and d.valid_to = 'infinity'`, r.cis, r.at)
		f := r.facts
		batch.Queue(`
			insert into device (ci_id, valid_from, class, name, manufacturer, model, serial_number, uuid, os_name, os_version)
			select * from unnest($1::uuid[], $2::timestamptz[], $3::text[], $4::text[], $5::text[], $6::text[],
				$7::text[], $8::text[], $9::text[], $10::text[])`,
			r.cis, r.at, f[0], f[1], f[2], f[3], f[4], f[5], f[6], f[7])
	}
	if len(r.incidents) > 0 {
		batch.Queue(`
			insert into sync_incident (record_id, at, kind, detail)
			select * from unnest($1::bigint[], $2::timestamptz[], $3::text[], $4::jsonb[])`,
			r.incidentRecords, r.incidentAt, r.incidentKinds, r.incidents)
	}
}
