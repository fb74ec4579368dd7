package cmdb

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/musterhq/muster/internal/inventory"
	"github.com/musterhq/muster/internal/store/db"
)

// CI gives a CI as it was known at an instant (zero: now), also one that is retired, with what its sources said. The id
// of one that was merged gives the CI that it became. A CI that was first seen later is not found.
func (s *Store) CI(ctx context.Context, id string, asOf time.Time) (inventory.CIDetails, error) {
	details := inventory.CIDetails{}
	err := s.Read(ctx, func(tx pgx.Tx) error {
		page := inventory.Page{AsOf: asOf}
		found, err := FindCI(ctx, tx, id, page)
		if err != nil {
			return err
		}
		args := pgx.NamedArgs{"ci": found.ID, "as_of": db.Instant(page)}
		if details.Sources, err = ciSources(ctx, tx, args); err != nil {
			return err
		}
		if details.Locks, err = ciLocks(ctx, tx, args); err != nil {
			return err
		}
		return readCI(ctx, tx, &details, page, args)
	})
	if !asOf.IsZero() {
		details.AsOf = &asOf
	}
	return details, err
}

type detailedCIRow struct {
	ciRow

	ChangedAt  time.Time
	Provenance []byte
	Only       *int64
	OnlySource *string
}

// readCI reads the CI itself. Without provenance, all of it is what its only record says; of several, such as two whose
// one is silent, it is the first that is the CI's from the beginning.
func readCI(ctx context.Context, tx pgx.Tx, details *inventory.CIDetails, page inventory.Page, args pgx.NamedArgs) error {
	row, _, err := db.One[detailedCIRow](ctx, tx, `
		select `+ciColumns+`, d.valid_from as changed_at, d.provenance, o.id as only, o.source as only_source
		from ci_version d
		join ci c on c.id = d.ci_id`+versionSeen+versionRetirement+`
		left join lateral (
			select r.id, r.source
			from assignment m join source_record r on r.id = m.record_id
			where m.ci_id = d.ci_id and `+memberAt+`
			order by r.default_ci <> d.ci_id, r.created_at, r.id
			limit 1
		) o on true
		where d.ci_id = @ci and `+versionOrLast(page), args)
	if err != nil {
		return fmt.Errorf("read CI: %w", err)
	}
	if details.CI, err = row.ci(); err != nil {
		return err
	}
	details.ChangedAt = row.ChangedAt
	if row.RetiredAt != nil {
		details.ChangedAt = *row.RetiredAt
	}
	details.Provenance, err = row.provenance()
	return err
}

func (r detailedCIRow) provenance() (map[string]inventory.Provenance, error) {
	provenance := map[string]inventory.Provenance{}
	if r.Provenance != nil {
		if err := db.Unmarshal(r.Provenance, &provenance); err != nil {
			return nil, fmt.Errorf("read provenance: %w", err)
		}
		return provenance, nil
	}
	if r.Only == nil {
		return provenance, nil
	}
	attributes, err := db.DecodeAttributes(r.Attributes)
	if err != nil {
		return nil, err
	}
	only := inventory.Provenance{Record: *r.Only, Source: *r.OnlySource, Rule: "only"}
	for name := range attributes {
		provenance[name] = only
	}
	provenance["class"] = only
	if r.Name != "" {
		provenance["name"] = only
	}
	return provenance, nil
}

type sourceRow struct {
	Record     int64
	Source     string
	NativeKey  string
	Class      string
	Attributes []byte
	FirstSeen  time.Time
	LastSeen   *time.Time
	IsPrimary  bool
}

// ciSources are the records of a CI at the instant, the first first. What the key of a record is made of, people need
// not read: for that there is a label.
func ciSources(ctx context.Context, tx pgx.Tx, args pgx.NamedArgs) ([]inventory.SourceRecord, error) {
	sources := []inventory.SourceRecord{}
	err := db.ForEach(ctx, tx, "read sources of CI", `
		select r.id as record, r.source, coalesce(nullif(r.label, ''), encode(r.native_key, 'escape')) as native_key,
		       coalesce(v.class, '') as class, coalesce(v.attributes, '{}') as attributes, r.created_at as first_seen,
		       case when `+db.IsNow+` then seen.at end as last_seen, m.is_primary
		from assignment m
		join source_record r on r.id = m.record_id
		left join presence p on p.record_id = r.id
		cross join lateral (select `+recordSeen+` as at) seen
		left join record_version v on v.record_id = r.id and v.valid_from <= @as_of and v.valid_to > @as_of
		where m.ci_id = @ci and `+memberAt+`
		order by r.id`, args, func(row sourceRow) error {
		attributes, err := db.DecodeAttributes(row.Attributes)
		sources = append(sources, inventory.SourceRecord{
			Record: row.Record, Source: row.Source, NativeKey: row.NativeKey, Class: row.Class, Attributes: attributes,
			FirstSeen: row.FirstSeen, LastSeen: row.LastSeen, Primary: row.IsPrimary,
		})
		return err
	})
	return sources, err
}

type lockRow struct {
	Attribute string
	Value     []byte
	Reason    string
	Actor     string
	LockedAt  time.Time
	Until     *time.Time
}

// ciLocks are the values that people held at the instant. One that has run out holds its value until it is released, a
// moment later.
func ciLocks(ctx context.Context, tx pgx.Tx, args pgx.NamedArgs) ([]inventory.Lock, error) {
	locks := []inventory.Lock{}
	err := db.ForEach(ctx, tx, "read locks of CI", `
		select l.attribute, l.value, l.reason, l.actor, l.locked_at, l.until
		from assignment m
		join attribute_lock l on l.record_id = m.record_id
		where m.ci_id = @ci and `+memberAt+`
			and l.locked_at <= @as_of and (l.released_at is null or l.released_at > @as_of)
		order by l.attribute, l.locked_at`, args, func(row lockRow) error {
		lock := inventory.Lock{
			Attribute: row.Attribute, Reason: row.Reason, Actor: row.Actor, LockedAt: row.LockedAt, Until: row.Until,
		}
		locks = append(locks, lock)
		return db.Unmarshal(row.Value, &locks[len(locks)-1].Value)
	})
	return locks, err
}
