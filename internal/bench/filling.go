package main

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"strconv"
	"sync"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/musterhq/muster/internal/identify"
	"github.com/musterhq/muster/internal/inventory"
	"github.com/musterhq/muster/internal/reconcile"
)

// ciData is a CI that one source reports.
type ciData struct {
	source    string
	key       string
	baseClass string // the class below ci
	since     time.Time
	reported  inventory.Observed
}

// filling writes CIs directly into the tables, as the store would have written them one by one,
// which would take longer than all measurements.
type filling struct {
	conn    *pgx.Conn
	rules   *identify.Rules
	parents map[string]string // class → the one above it
	last    int64             // record
}

func newFilling(ctx context.Context, conn *pgx.Conn, rules *identify.Rules) (*filling, error) {
	f := &filling{conn: conn, rules: rules, parents: map[string]string{}}
	rows, err := conn.Query(ctx, `select name, coalesce(parent, '') from ci_class`)
	if err != nil {
		return nil, fmt.Errorf("read classes: %w", err)
	}
	var name, parent string
	_, err = pgx.ForEachRow(rows, []any{&name, &parent}, func() error {
		f.parents[name] = parent
		return nil
	})
	return f, err
}

// assignment is a source record and its CI.
type assignment struct {
	record int64
	ci     uuid.UUID
}

// tableRows are the rows of each of fillTables.
type tableRows [len(fillTables)][][]any

// fillTables are the tables with one row per CI, and their columns.
var fillTables = [...]struct {
	name    string
	columns []string
}{
	{"source_record", []string{
		"id", "source", "native_key", "created_at", "default_ci", "base_class", "label", "seen_at",
	}},
	{"presence", []string{"record_id", "seen_at", "stream", "since", "until"}},
	{"evidence", []string{"record_id", "identifiers", "first_seen", "rejected"}},
	{"record_version", []string{"record_id", "valid_from", "class", "attributes"}},
	{"assignment", []string{"record_id", "valid_from", "ci_id", "is_primary"}},
	{"ci", []string{"id", "created_at"}},
	{"ci_version", []string{"ci_id", "valid_from", "device", "class", "name", "attributes"}},
	{"identity_decision", []string{"at", "record_id", "action", "new_ci", "rule", "reason"}},
}

// batch holds CIs as rows.
type batch struct {
	assignments []assignment
	rows        tableRows
}

// add writes CIs that share no identifier with each other or with existing ones.
func (f *filling) add(ctx context.Context, cis []ciData) ([]assignment, error) {
	b, err := f.prepare(cis)
	if err != nil {
		return nil, err
	}
	return b.assignments, f.write(ctx, b)
}

// prepare assigns the ids of records and CIs and makes the rows.
func (f *filling) prepare(cis []ciData) (batch, error) {
	b := batch{assignments: make([]assignment, len(cis))}
	for i := range cis {
		f.last++
		b.assignments[i].record = f.last
		var err error
		if b.assignments[i].ci, err = uuid.NewV7(); err != nil {
			return b, fmt.Errorf("make id of ci: %w", err)
		}
	}
	for table := range b.rows {
		b.rows[table] = make([][]any, len(cis))
	}
	now := time.Now()
	return b, share(fillWorkers, len(cis), func(i int) error {
		return f.rows(&b.rows, i, b.assignments[i], cis[i], now)
	})
}

// share calls do for each of n numbers, with several workers.
func share(workers, n int, do func(i int) error) error {
	errs := make([]error, workers)
	var wait sync.WaitGroup
	for worker := range workers {
		wait.Go(func() {
			for i := worker; i < n && errs[worker] == nil; i += workers {
				errs[worker] = do(i)
			}
		})
	}
	wait.Wait()
	return errors.Join(errs...)
}

func (f *filling) write(ctx context.Context, b batch) error {
	for i, table := range fillTables {
		rows := pgx.CopyFromRows(b.rows[i])
		if _, err := f.conn.CopyFrom(ctx, pgx.Identifier{table.name}, table.columns, rows); err != nil {
			return fmt.Errorf("fill %s: %w", table.name, err)
		}
	}
	_, err := f.conn.Exec(ctx, `
		insert into identifier_claim (hash, record_id)
		select identifier_hash(r.base_class, i.identifier), e.record_id
		from evidence e join source_record r on r.id = e.record_id cross
			join lateral unnest(e.identifiers) i (identifier)
		where e.record_id between $1 and $2
		on conflict do nothing`, b.assignments[0].record, b.assignments[len(b.assignments)-1].record)
	if err != nil {
		return fmt.Errorf("fill identifier_claim: %w", err)
	}
	return nil
}

// rows makes the rows of the i-th CI.
func (f *filling) rows(rows *tableRows, i int, at assignment, t ciData, now time.Time) error {
	identifiers, rejections := f.rules.Normalize(t.reported.Identifiers)
	var rejected []byte
	if len(rejections) > 0 {
		var err error
		if rejected, err = json.Marshal(rejections); err != nil {
			return fmt.Errorf("encode rejections: %w", err)
		}
	}
	reported, err := json.Marshal(t.reported.Attributes)
	if err != nil {
		return fmt.Errorf("encode attributes: %w", err)
	}
	is := f.reconcile([]inventory.CandidateValues{{
		Record: at.record, Source: t.source, Class: t.reported.Class, Attributes: maps.Clone(t.reported.Attributes),
		Since: t.since, SeenAt: now,
	}}, now)
	values, err := json.Marshal(is.Attributes)
	if err != nil {
		return fmt.Errorf("encode attributes: %w", err)
	}
	why := f.alone(t)
	reason, err := json.Marshal(why)
	if err != nil {
		return fmt.Errorf("encode reason: %w", err)
	}
	key := sha256.Sum256([]byte(t.key))
	for table, row := range [len(fillTables)][]any{
		{at.record, t.source, key[:], t.since, at.ci, t.baseClass, t.key, t.since},
		{at.record, now, uuid.Nil, now, now},
		{at.record, textsOf(identifiers), []time.Time{t.since}, rejected},
		{at.record, t.since, t.reported.Class, reported},
		{at.record, t.since, at.ci, true},
		{at.ci, t.since},
		{at.ci, t.since, t.baseClass == classComputer, is.Class, is.Name, values},
		{t.since, at.record, "created", at.ci, why.Rule, reason},
	} {
		rows[table][i] = row
	}
	return nil
}

// alone returns the reason of the decision that a record is a CI of its own.
func (f *filling) alone(t ciData) inventory.Reason {
	return f.rules.Partition(inventory.CandidateSet{Records: []inventory.RecordEvidence{{
		Record: 1, Source: t.source, BaseClass: t.baseClass, CreatedAt: t.since, SeenAt: t.since, DefaultCI: t.key,
	}}}).Assignments[0].Reason
}

// textsOf returns identifiers as an array for PostgreSQL.
func textsOf(identifiers []inventory.Identifier) []string {
	list := make([]string, len(identifiers))
	for i, identifier := range identifiers {
		list[i] = string(identifier)
	}
	return list
}

// relation is a relationship between CIs.
type relation struct {
	relationshipType string
	from, to         assignment
	observer         *assignment // nil: declared by a person
}

func (f *filling) relate(ctx context.Context, since time.Time, relations []relation) error {
	columns := []string{"type", "from_record", "to_record", "observer", "valid_from"}
	rows := pgx.CopyFromSlice(len(relations), func(i int) ([]any, error) {
		r := relations[i]
		var observer *int64
		if r.observer != nil {
			observer = &r.observer.record
		}
		return []any{r.relationshipType, r.from.record, r.to.record, observer, since}, nil
	})
	if _, err := f.conn.CopyFrom(ctx, pgx.Identifier{"relationship"}, columns, rows); err != nil {
		return fmt.Errorf("fill relationship: %w", err)
	}
	return nil
}

// done sets the sequences and leaves the tables as after the nightly vacuum.
func (f *filling) done(ctx context.Context) error {
	for _, statement := range []string{
		`select setval(pg_get_serial_sequence('source_record', 'id'), ` + strconv.FormatInt(f.last, 10) + `)`,
		`vacuum (analyze)`, `checkpoint`,
	} {
		if _, err := f.conn.Exec(ctx, statement); err != nil {
			return fmt.Errorf("%s: %w", statement, err)
		}
	}
	return nil
}

// reconcile returns the effective values that the collector would compute.
func (f *filling) reconcile(values []inventory.CandidateValues, at time.Time) inventory.Effective {
	precedence := reconcile.DefaultPrecedence().WithClasses(func(class string) string { return f.parents[class] })
	return reconcile.Effective(values, nil, at, precedence)
}
