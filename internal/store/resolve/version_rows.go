package resolve

import (
	"time"

	"github.com/jackc/pgx/v5"
)

// ciVersionRows gathers the versions of CIs that begin and end in a resolution.
type ciVersionRows struct {
	retired []string // CIs that nobody observes any more
	ended   []string // CIs whose current version ends

	cis        []string
	devices    []bool
	classes    []string
	names      []string
	attributes []string
	provenance []*string

	disposal  []string // CIs that become disposed or no longer are
	disposed  []bool
	observers []int64 // records that observe a CI that became disposed
}

func (v *ciVersionRows) add(ci string, device bool, class, name, attributes string, provenance *string) {
	v.cis, v.devices, v.classes = append(v.cis, ci), append(v.devices, device), append(v.classes, class)
	v.names, v.attributes = append(v.names, name), append(v.attributes, attributes)
	v.provenance = append(v.provenance, provenance)
}

func (v *ciVersionRows) queue(batch *pgx.Batch, at time.Time) {
	if len(v.disposal) > 0 {
		batch.Queue(`
			update ci c set disposed = n.disposed
			from unnest($1::uuid[], $2::boolean[]) n (ci_id, disposed)
			where c.id = n.ci_id`, v.disposal, v.disposed)
	}
	if len(v.observers) > 0 {
		batch.Queue(`update source_record set liveness_dependent = true where id = any($1)`, v.observers)
	}
	if len(v.retired) > 0 {
		batch.Queue(`
			update ci_version set valid_to = $2, retired = true
			where ci_id = any($1::uuid[]) and valid_to = 'infinity'`, v.retired, at)
	}
	if len(v.ended) > 0 {
		batch.Queue(`
			update ci_version set valid_to = $2 where ci_id = any($1::uuid[]) and valid_to = 'infinity'`, v.ended, at)
	}
	if len(v.cis) > 0 {
		batch.Queue(`
			insert into ci_version (ci_id, valid_from, device, class, name, attributes, provenance)
			select n.ci_id, $7, n.device, n.class, n.name, n.attributes, n.provenance
			from unnest($1::uuid[], $2::boolean[], $3::text[], $4::text[], $5::jsonb[], $6::jsonb[])
				n (ci_id, device, class, name, attributes, provenance)`,
			v.cis, v.devices, v.classes, v.names, v.attributes, v.provenance, at)
	}
}
