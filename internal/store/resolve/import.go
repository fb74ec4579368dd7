package resolve

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/musterhq/muster/internal/inventory"
	"github.com/musterhq/muster/internal/store/cmdb"
	"github.com/musterhq/muster/internal/store/db"
)

// errDryRun rolls back a dry run.
var errDryRun = errors.New("dry run")

// TakeRecords applies documents of other sources, in the order given and in one transaction: after
// an error, none of them is applied. It leaves out a value that does not fit its attribute, with a
// warning, and a document that cannot be applied, with the problem in its outcome. A document that
// is older than the one that is held is not applied. A dry run
// returns the same outcomes and changes nothing.
func (s *Store) TakeRecords(
	ctx context.Context, records []inventory.ImportRecord, actor inventory.Actor, dryRun bool,
) ([]inventory.ImportOutcome, error) {
	var outcomes []inventory.ImportOutcome
	err := s.resolve(ctx, inventory.Actor{}, func(ctx context.Context, r *resolution) error {
		take := importing{resolution: r, declared: map[string][]inventory.Attribute{}, ends: map[relationEnds]error{}}
		var err error
		if outcomes, err = take.run(ctx, records); err != nil {
			return err
		}
		if dryRun {
			return errDryRun
		}
		if len(r.changedRecords()) > 0 {
			return r.recordAudit(ctx, actor)
		}
		return nil
	})
	if errors.Is(err, errDryRun) {
		err = nil
	}
	return outcomes, err
}

// importing is a resolution that applies imported records.
type importing struct {
	*resolution

	declared map[string][]inventory.Attribute // by class
	ends     map[relationEnds]error           // why there can be no such relationships
}

func (t *importing) run(ctx context.Context, records []inventory.ImportRecord) ([]inventory.ImportOutcome, error) {
	if err := t.readReferences(ctx, references(records)); err != nil {
		return nil, err
	}
	outcomes, taken, err := t.checkAll(ctx, records)
	if err != nil {
		return nil, err
	}
	ids, err := t.recordsOf(ctx, records, taken)
	if err != nil {
		return nil, err
	}
	if err := t.match(ctx, records, taken, ids); err != nil {
		return nil, err
	}
	var observations []inventory.Observation
	for _, i := range taken {
		held := ids[keyOf(records[i])]
		outcomes[i].Record = held.ID
		if held.DocumentAt != nil && records[i].At.Before(*held.DocumentAt) && !records[i].At.IsZero() {
			outcomes[i].Older = true
			outcomes[i].Warnings = []string{fmt.Sprintf(
				"older than what is held: not applied; it is of %s, a document of %s is held",
				records[i].At.Format(time.RFC3339), held.DocumentAt.UTC().Format(time.RFC3339),
			)}
			continue
		}
		t.updated.add(outcomes[i].Record)
		one := inventory.Observation{Record: outcomes[i].Record, Observed: records[i].Observed}
		observations = append(observations, one)
	}
	if err := t.applyObservations(ctx, observations); err != nil {
		return nil, err
	}
	if err := t.assign(ctx); err != nil {
		return nil, err
	}
	if err := t.resolveComponents(ctx, observations); err != nil {
		return nil, err
	}
	return outcomes, t.report(ctx, outcomes, taken, t.changedRecords())
}

// checkAll returns which documents can be applied, and in the outcomes why the others cannot.
func (t *importing) checkAll(
	ctx context.Context, records []inventory.ImportRecord,
) (outcomes []inventory.ImportOutcome, taken []int, err error) {
	outcomes = make([]inventory.ImportOutcome, len(records))
	for i := range records {
		outcomes[i].Warnings, err = t.check(ctx, &records[i].Observed)
		if err == nil {
			err = t.checkMatch(records[i])
		}
		refused, is := errors.AsType[*inventory.Error](err)
		switch {
		case is:
			outcomes[i].Problem = refused.Message
		case err != nil:
			return nil, nil, err
		default:
			taken = append(taken, i)
		}
	}
	return outcomes, taken, nil
}

// report fills in which CIs the records are, and which of these are new.
func (t *importing) report(
	ctx context.Context, outcomes []inventory.ImportOutcome, taken []int, observed map[int64]bool,
) error {
	records := make([]int64, 0, len(taken))
	for _, i := range taken {
		records = append(records, outcomes[i].Record)
	}
	type assignedRow struct {
		Record           int64
		CI               string
		Created, Retired bool
	}
	rows, err := db.Collect[assignedRow](ctx, t.tx, "read assignments", `
		select m.record_id as record, m.ci_id::text as ci, c.created_at = $2 as created,
			c.retired_at is not null as retired
		from assignment m join ci c on c.id = m.ci_id
		where m.record_id = any($1) and m.valid_to = 'infinity'`, records, t.at)
	found := make(map[int64]assignedRow, len(rows))
	for _, row := range rows {
		found[row.Record] = row
	}
	for _, i := range taken {
		o := &outcomes[i]
		assigned := found[o.Record]
		o.CI, o.Created, o.Changed = assigned.CI, assigned.Created, observed[o.Record]
		if assigned.Retired {
			o.Warnings = append(o.Warnings, "the CI is retired; an import does not restore a retired CI")
		}
	}
	return err
}

// check converts the values of a document to their stored form. It leaves out, with a warning,
// those that do not fit, and those whose attribute the class does not have: a table has the same
// columns for all its rows.
func (t *importing) check(ctx context.Context, o *inventory.Observed) (warnings []string, err error) {
	class := o.Class
	if class == "" {
		class = inventory.RootClass
	}
	declared, err := t.attributes(ctx, class)
	if err != nil {
		return nil, err
	}
	values := inventory.Attributes{}
	for _, attribute := range slices.Sorted(maps.Keys(o.Attributes)) {
		value := o.Attributes[attribute]
		if attribute == inventory.AttributeName {
			values[attribute] = value
			continue
		}
		converted, err := cmdb.ConvertAll(class, declared, inventory.Attributes{attribute: value})
		if refused, is := errors.AsType[*inventory.Error](err); is {
			warnings = append(warnings, refused.Message+"; the value was left out")
		} else if err != nil {
			return nil, err
		}
		maps.Copy(values, converted)
	}
	o.Attributes = values
	made, err := t.checkReferences(ctx, o)
	return append(warnings, made...), err
}

// attributes returns the attributes that the CIs of a class have, read once.
func (t *importing) attributes(ctx context.Context, class string) ([]inventory.Attribute, error) {
	declared, known := t.declared[class]
	if !known {
		var err error
		if declared, err = cmdb.AttributesFor(ctx, t.tx, class); err != nil {
			return nil, err
		}
		t.declared[class] = declared
	}
	return declared, nil
}

// sourceKey names a record.
type sourceKey struct{ source, key string }

// keyOf returns the key of a document's record. It is hashed, because an index holds it.
func keyOf(r inventory.ImportRecord) sourceKey {
	hash := sha256.Sum256([]byte(r.NativeKey))
	return sourceKey{r.Source, string(hash[:])}
}

// documentRecord is the record of a document.
type documentRecord struct {
	Source     string
	NativeKey  []byte
	ID         int64
	DocumentAt *time.Time // the date of the newest whole document
}

// recordsOf finds or creates the records of the documents that are applied.
func (t *importing) recordsOf(
	ctx context.Context, records []inventory.ImportRecord, taken []int,
) (map[sourceKey]documentRecord, error) {
	var (
		sources, labels, baseClasses, defaultCIs []string
		keys                                     [][]byte
		documentAt, seenAt                       []*time.Time
	)
	done := map[sourceKey]bool{}
	for _, i := range taken {
		record, key := records[i], keyOf(records[i])
		if done[key] {
			continue
		}
		done[key] = true
		defaultCI, err := uuid.NewV7()
		if err != nil {
			return nil, fmt.Errorf("make id of ci: %w", err)
		}
		sources, keys = append(sources, record.Source), append(keys, []byte(key.key))
		labels, defaultCIs = append(labels, record.NativeKey), append(defaultCIs, defaultCI.String())
		baseClasses = append(baseClasses, t.baseClassOf(record.Observed.Class))
		var document, seen *time.Time
		if !record.At.IsZero() && !record.Observed.Partial {
			document = &record.At
		}
		if !record.Observed.FromFile {
			seen = &t.at
		}
		documentAt, seenAt = append(documentAt, document), append(seenAt, seen)
	}
	rows, err := db.Collect[documentRecord](ctx, t.tx, "find records of documents", `
		insert into source_record as r (source, native_key, label, base_class, default_ci, created_at, document_at,
			seen_at)
		select n.source, n.native_key, n.label, n.base_class, n.default_ci, $6, n.document_at, n.seen_at
		from unnest($1::text[], $2::bytea[], $3::text[], $4::text[], $5::uuid[], $7::timestamptz[], $8::timestamptz[])
			n (source, native_key, label, base_class, default_ci, document_at, seen_at)
		order by n.native_key, n.source
		on conflict (native_key, source) do update set document_at = greatest(r.document_at, excluded.document_at),
			seen_at = greatest(r.seen_at, excluded.seen_at)
		returning r.source, r.native_key, r.id, r.document_at`, sources, keys, labels, baseClasses, defaultCIs, t.at,
		documentAt, seenAt)
	ids := make(map[sourceKey]documentRecord, len(rows))
	for _, row := range rows {
		ids[sourceKey{row.Source, string(row.NativeKey)}] = row
	}
	return ids, err
}
