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

// thing is a CI of which one source tells.
type thing struct {
	source    string
	key       string
	baseClass string // the class below ci
	since     time.Time
	reported  inventory.Observed
}

// filling writes things where the store would have put them had it been told of them one by one, which would take
// longer than all the rest of the bench.
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

// place is where a thing was put.
type place struct {
	record int64
	ci     uuid.UUID
}

// tableRows are rows for tables, in the order of tableColumns.
type tableRows [len(fillTables)][][]any

// fillTables are the tables that a thing has one row of each in, and their columns.
var fillTables = [...]struct {
	name    string
	columns []string
}{
	{"source_record", []string{"id", "source", "native_key", "created_at", "default_ci", "base_class", "label", "seen_at"}},
	{"presence", []string{"record_id", "seen_at", "stream"}},
	{"evidence", []string{"record_id", "identifiers", "first_seen", "last_seen", "rejected"}},
	{"record_version", []string{"record_id", "valid_from", "class", "attributes"}},
	{"assignment", []string{"record_id", "valid_from", "ci_id", "is_primary"}},
	{"ci", []string{"id", "created_at"}},
	{"ci_version", []string{"ci_id", "valid_from", "device", "class", "name", "attributes"}},
	{"identity_decision", []string{"at", "record_id", "action", "new_ci", "rule", "reason"}},
}

// batch is things as rows.
type batch struct {
	assignments []place
	rows        tableRows
}

// add writes things that have nothing to do with each other or with what is there.
func (f *filling) add(ctx context.Context, things []thing) ([]place, error) {
	b, err := f.prepare(things)
	if err != nil {
		return nil, err
	}
	return b.assignments, f.write(ctx, b)
}

// prepare gives things their records and their CIs.
func (f *filling) prepare(things []thing) (batch, error) {
	b := batch{assignments: make([]place, len(things))}
	for i := range things {
		f.last++
		b.assignments[i].record = f.last
		var err error
		if b.assignments[i].ci, err = uuid.NewV7(); err != nil {
			return b, fmt.Errorf("make id of ci: %w", err)
		}
	}
	for table := range b.rows {
		b.rows[table] = make([][]any, len(things))
	}
	now := time.Now()
	return b, share(fillWorkers, len(things), func(i int) error { return f.rows(&b.rows, i, b.assignments[i], things[i], now) })
}

// share lets workers do something for each of n numbers.
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
		if _, err := f.conn.CopyFrom(ctx, pgx.Identifier{table.name}, table.columns, pgx.CopyFromRows(b.rows[i])); err != nil {
			return fmt.Errorf("fill %s: %w", table.name, err)
		}
	}
	_, err := f.conn.Exec(ctx, `
		insert into identifier_claim (hash, record_id)
		select identifier_hash(r.base_class, i.identifier), e.record_id
		from evidence e join source_record r on r.id = e.record_id cross join lateral unnest(e.identifiers) i (identifier)
		where e.record_id between $1 and $2
		on conflict do nothing`, b.assignments[0].record, b.assignments[len(b.assignments)-1].record)
	if err != nil {
		return fmt.Errorf("fill identifier_claim: %w", err)
	}
	return nil
}

// rows makes the rows of the i-th thing.
func (f *filling) rows(rows *tableRows, i int, at place, t thing, now time.Time) error {
	tokens, rejections := f.rules.Normalize(t.reported.Identifiers)
	first, last := make([]time.Time, len(tokens)), make([]*time.Time, len(tokens))
	for n := range tokens {
		first[n] = t.since
	}
	rejected, err := json.Marshal(append([]inventory.Rejection{}, rejections...))
	if err != nil {
		return fmt.Errorf("encode rejections: %w", err)
	}
	reported, err := json.Marshal(t.reported.Attributes)
	if err != nil {
		return fmt.Errorf("encode attributes: %w", err)
	}
	is := f.reconcile([]inventory.CandidateValues{{
		Record: at.record, Source: t.source, Class: t.reported.Class, Attributes: maps.Clone(t.reported.Attributes), Since: t.since, SeenAt: now,
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
		{at.record, now, uuid.Nil},
		{at.record, textsOf(tokens), first, last, rejected},
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

// alone is why a thing's record is a CI of its own.
func (f *filling) alone(t thing) inventory.Reason {
	return f.rules.Partition(inventory.CandidateSet{Records: []inventory.RecordEvidence{{
		Record: 1, Source: t.source, BaseClass: t.baseClass, CreatedAt: t.since, SeenAt: t.since, DefaultCI: t.key,
	}}}).Assignments[0].Reason
}

// textsOf gives tokens as PostgreSQL takes them.
func textsOf(tokens []inventory.Identifier) []string {
	list := make([]string, len(tokens))
	for i, token := range tokens {
		list[i] = string(token)
	}
	return list
}

// relation is a relationship between things.
type relation struct {
	relationshipType string
	from, to         place
	observer         *place // nil: a person said so
}

func (f *filling) relate(ctx context.Context, since time.Time, relations []relation) error {
	columns := []string{"type", "from_record", "to_record", "observer", "valid_from"}
	_, err := f.conn.CopyFrom(ctx, pgx.Identifier{"relationship"}, columns, pgx.CopyFromSlice(len(relations), func(i int) ([]any, error) {
		r := relations[i]
		var observer *int64
		if r.observer != nil {
			observer = &r.observer.record
		}
		return []any{r.relationshipType, r.from.record, r.to.record, observer, since}, nil
	}))
	if err != nil {
		return fmt.Errorf("fill relationship: %w", err)
	}
	return nil
}

// done lets the store go on from what was written, as it is after the nightly vacuum.
func (f *filling) done(ctx context.Context) error {
	for _, statement := range []string{
		`select setval(pg_get_serial_sequence('source_record', 'id'), ` + strconv.FormatInt(f.last, 10) + `)`, `vacuum (analyze)`, `checkpoint`,
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
