package resolve

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/musterhq/muster/internal/identify"
	"github.com/musterhq/muster/internal/inventory"
	"github.com/musterhq/muster/internal/reconcile"
	"github.com/musterhq/muster/internal/store/db"
)

// heldRecord is the stored state of a record before an observation is applied.
type heldRecord struct {
	ID                int64
	Source            string
	BaseClass         string
	Identifiers       []inventory.Identifier
	FirstSeen         []time.Time
	LastSeen          []*time.Time // nil while the identifier is reported
	Rejected          []byte
	Hosts             []inventory.Identifier
	Class             *string // of its current version; nil: there is none
	Attributes        []byte
	LivenessDependent bool    // an observation of it may change its assignment
	CI                *string // nil: it is not assigned yet
	CIRetired         bool
	EvidenceHeld      bool
	Tied              bool // another record has its default CI, or a constraint names it
}

// observationRows gathers what observations change, table by table.
type observationRows struct {
	claims   claimRows
	evidence evidenceRows
	versions recordVersionRows
	classes  baseClassRows
}

// applyObservations is the first step. Its input is observations; its output is the evidence and
// the values of their records, and in the change set what differs from before.
func (r *resolution) applyObservations(ctx context.Context, observations []inventory.Observation) error {
	held, err := r.heldRecords(ctx, observations)
	if err != nil {
		return err
	}
	rows := observationRows{claims: claimRows{pending: map[int64]int{}}}
	for _, o := range observations {
		h, ok := held[o.Record]
		if !ok {
			return fmt.Errorf("apply observation: there is no source record %d", o.Record)
		}
		if err := r.joinEvidence(&rows, h, o.Observed); err != nil {
			return err
		}
		if err := r.joinValues(&rows, h, o.Observed); err != nil {
			return err
		}
		if o.Observed.FromFile {
			r.fromFile.add(h.ID)
		} else if h.CIRetired && r.rules.precedence.Observes(h.Source) {
			r.moved.add(h.ID)
		}
	}
	batch := &pgx.Batch{}
	rows.claims.queue(batch)
	rows.classes.queue(batch)
	rows.evidence.queue(batch)
	rows.versions.queue(batch, r.at)
	if err := r.send(ctx, "apply observations", batch); err != nil {
		return err
	}
	var contended []int64
	for _, o := range observations {
		switch {
		case rows.claims.isolated(o.Record):
			r.isolated[o.Record] = true
		case r.valuesChanged[o.Record] && !r.exclusive: // others may report values of the same CI
			contended = append(contended, r.observersOf(o.Record)...)
		}
	}
	return contend(contended...)
}

func (r *resolution) heldRecords(
	ctx context.Context, observations []inventory.Observation,
) (map[int64]heldRecord, error) {
	ids := make([]int64, len(observations))
	for i, t := range observations {
		ids[i] = t.Record
	}
	list, err := db.Collect[heldRecord](ctx, r.tx, "read records", `
		select r.id, r.source, r.base_class, e.identifiers, e.first_seen, e.last_seen, e.rejected, e.hosts,
			e.record_id is not null as evidence_held, v.class, v.attributes, r.liveness_dependent,
			m.ci_id::text as ci, c.retired_at is not null as ci_retired, m.ci_id is null and (
				exists (select from source_record o where o.default_ci = r.default_ci and o.id <> r.id)
				or exists (select from identity_constraint k where k.record_a = r.id and k.revoked_at is null)
				or exists (select from identity_constraint k where k.record_b = r.id and k.revoked_at is null)
			) as tied
		from source_record r
		left join evidence e on e.record_id = r.id
		left join record_version v on v.record_id = r.id and v.valid_to = 'infinity'
		left join assignment m on m.record_id = r.id and m.valid_to = 'infinity'
		left join ci c on c.id = m.ci_id
		where r.id = any($1)`, ids)
	if err != nil {
		return nil, err
	}
	held := make(map[int64]heldRecord, len(list))
	for _, h := range list {
		held[h.ID] = h
	}
	return held, nil
}

// joinEvidence adds the identifiers that are reported now to the evidence of a record.
func (r *resolution) joinEvidence(rows *observationRows, h heldRecord, observed inventory.Observed) error {
	identifiers, rejected := r.rules.Normalize(observed.Identifiers)
	r.rejected[h.ID] = rejected
	var encoded []byte
	if len(rejected) > 0 {
		var err error
		if encoded, err = json.Marshal(rejected); err != nil {
			return fmt.Errorf("encode rejections: %w", err)
		}
	}
	isNew, known := h.CI == nil && !h.EvidenceHeld && !h.Tied, len(h.Identifiers)
	history, changed := reconcile.JoinEvidence(
		identifierHistory(h.Identifiers, h.FirstSeen, h.LastSeen), identifiers, r.at, observed.Partial)
	if baseClass := r.baseClassOf(observed.Class); baseClass != "" && baseClass != h.BaseClass {
		rows.classes.add(h.ID, baseClass)
		h.BaseClass, known, changed = baseClass, 0, true
	}
	rows.claims.add(h.ID, isNew, h.BaseClass, r.parents, history[known:])
	if changed {
		r.identifiersChanged.add(h.ID)
	}
	if changed || h.CI == nil || h.LivenessDependent {
		r.moved.add(h.ID)
	}
	hosts := identify.HostIdentifiers(rejected)
	if !changed && h.EvidenceHeld && db.SameJSON(h.Rejected, encoded) && slices.Equal(h.Hosts, hosts) {
		return nil
	}
	rows.evidence.add(h.ID, history, db.Text(encoded), hosts)
	return nil
}

// joinValues adds a version of the attribute values that the record reports.
func (r *resolution) joinValues(rows *observationRows, h heldRecord, observed inventory.Observed) error {
	var class string
	var attributes inventory.Attributes
	if observed.Partial && h.Class != nil {
		var err error
		if attributes, err = db.DecodeAttributes(h.Attributes); err != nil {
			return err
		}
		class = *h.Class
	}
	observed = reconcile.JoinValues(class, attributes, observed)
	encoded, err := json.Marshal(observed.Attributes)
	if err != nil {
		return fmt.Errorf("encode attributes: %w", err)
	}
	if h.Class != nil && *h.Class == observed.Class && db.SameJSON(h.Attributes, encoded) {
		return nil
	}
	r.valuesChanged.add(h.ID)
	rows.versions.add(h.ID, h.Class != nil, observed.Class, string(encoded))
	return nil
}
