package cmdb

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/musterhq/muster/internal/inventory"
	"github.com/musterhq/muster/internal/store/db"
)

// ListChanges lists the changes of all CIs, the oldest first. A position is valid forever, also in
// a copy of the database. A client that continues after the position of the last change misses no
// change, because a change is listed only when all changes at and before its instant are visible.
// If there is no new change, visit is not called and the client keeps its position.
//
// A change belongs to the CI that its record was assigned to at that time. A change of a
// relationship belongs to the CI at its from end, or to the CI of the query. The action of an item
// is added, removed or changed.
func (s *Store) ListChanges(
	ctx context.Context, q inventory.FeedQuery, visit inventory.Visit[inventory.FeedChange],
) error {
	full := fullWindow
	if q.Limit > 0 {
		full = min(full, 100+2*q.Limit)
	}
	return s.listChanges(ctx, &changeFeed{query: q, visit: visit, full: full})
}

func (s *Store) listChanges(ctx context.Context, feed *changeFeed) error {
	if err := feed.prepare(); err != nil {
		return err
	}
	now, err := s.Now(ctx)
	if err != nil {
		return err
	}
	feed.bound(now)
	if err := s.WaitUntilVisible(ctx, feed.until); err != nil {
		return err
	}
	return s.Sweep(ctx, func(tx pgx.Tx) error {
		feed.tx = tx
		return feed.run(ctx)
	})
}

// changeFeed reads changes in windows of time, because the database sorts all changes of a
// statement.
type changeFeed struct {
	tx      pgx.Tx
	query   inventory.FeedQuery
	visit   inventory.Visit[inventory.FeedChange]
	sources []feedSource
	args    pgx.NamedArgs
	from    time.Time
	until   time.Time
	visited int
	full    int // the number of changes that windows are sized for
}

func (f *changeFeed) prepare() error {
	if f.query.Type != "" && !slices.Contains(changeTypes, f.query.Type) {
		return db.Invalid("there is no type of change %q", f.query.Type)
	}
	for _, source := range feedSources {
		if f.query.Type == "" || source.changeType == f.query.Type {
			f.sources = append(f.sources, source)
		}
	}
	f.from = f.query.Since
	f.args = pgx.NamedArgs{
		"source": f.query.Source, "ci": nil, "records": nil,
		"after_at": nil, "after_type": "", "after_n1": 0, "after_key": "", "after_n2": 0,
	}
	if f.query.After == nil {
		return nil
	}
	return f.startAfter(f.query.After)
}

// startAfter starts the feed after a position.
func (f *changeFeed) startAfter(p inventory.Position) error {
	if len(p) != 5 {
		return db.ErrPosition
	}
	at, errAt := time.Parse(time.RFC3339Nano, p[0])
	n1, err1 := strconv.ParseInt(p[2], 10, 64)
	n2, err2 := strconv.ParseInt(p[4], 10, 64)
	if errAt != nil || err1 != nil || err2 != nil {
		return db.ErrPosition
	}
	f.args["after_at"], f.args["after_type"], f.args["after_n1"] = at, p[1], n1
	f.args["after_key"], f.args["after_n2"] = p[3], n2
	if at.After(f.from) {
		f.from = at
	}
	return nil
}

// bound sets the end of the feed, which is not after now. AsOf is inclusive, Until exclusive.
func (f *changeFeed) bound(now time.Time) {
	f.until = now
	if !f.query.Until.IsZero() && f.query.Until.Before(now) {
		f.until = f.query.Until
	}
	past := f.query.AsOf.Truncate(time.Microsecond).Add(time.Microsecond)
	if !f.query.AsOf.IsZero() && past.Before(f.until) {
		f.until = past
	}
}

const (
	fullWindow  = 2000             // changes
	leastWindow = time.Microsecond // the resolution of times in the database
)

func (f *changeFeed) run(ctx context.Context) error {
	if err := f.scope(ctx); err != nil {
		return err
	}
	// Most clients poll often, so there are few changes: the first window is all of the time.
	for width := f.until.Sub(f.from); f.from.Before(f.until); {
		to := f.from.Add(width)
		if to.After(f.until) {
			to = f.until
		}
		n, err := f.count(ctx, to)
		if err != nil {
			return err
		}
		if n > f.full && width > leastWindow {
			width = max(width/8, leastWindow)
			continue
		}
		if n > 0 {
			if done, err := f.window(ctx, to); done || err != nil {
				return err
			}
		}
		f.from = to
		if n <= f.full/4 {
			width = 4 * min(width, f.until.Sub(f.from)/4+1)
		}
	}
	return nil
}

// scope sets the classes, the CI and its records, and skips the time before the first CI.
func (f *changeFeed) scope(ctx context.Context) error {
	classes, err := ClassAndBelow(ctx, f.tx, f.query.Class)
	if err != nil {
		return err
	}
	f.args["classes"] = classes
	sql, args := `select min(created_at) from ci`, []any{}
	if f.query.CI != "" {
		f.args["ci"] = f.query.CI
		sql, args = `select created_at from ci where id = $1`, []any{f.query.CI}
	}
	var first *time.Time
	err = f.tx.QueryRow(ctx, sql, args...).Scan(&first)
	switch {
	case db.IsNoRows(err):
		return db.NotFound("there is no configuration item %s", f.query.CI)
	case err != nil:
		return fmt.Errorf("find first change: %w", err)
	case first == nil:
		f.from = f.until
	case first.After(f.from):
		f.from = *first
	}
	if f.query.CI == "" {
		return nil
	}
	f.args["records"], err = db.Column[int64](ctx, f.tx, "read records of CI", `
		select distinct record_id from assignment where ci_id = $1 order by record_id`, f.query.CI)
	return err
}

// count returns an upper bound of the number of changes from f.from until an instant. Once it is
// above f.full, it is not exact.
func (f *changeFeed) count(ctx context.Context, to time.Time) (int, error) {
	f.args["from"], f.args["to"], f.args["enough"] = f.from, to, f.full+1
	row, _, err := db.One[struct{ N int }](ctx, f.tx, countChangesOfAll(f.sources, f.query.CI != ""), f.args)
	if err != nil {
		return 0, fmt.Errorf("count changes: %w", err)
	}
	return row.N, nil
}

type feedRow struct {
	At          time.Time
	Type        string
	N1          int64
	Key         string
	N2          int64
	Action      string
	CI          string
	Class, Name string
	Source      string
	Subject     string
	Other       string
	Old, New    []byte
	Actor       string
	Reason      string
}

// window visits the changes from f.from until an instant, and reports whether the limit of the
// query is reached.
func (f *changeFeed) window(ctx context.Context, to time.Time) (done bool, err error) {
	f.args["from"], f.args["to"], f.args["limit"] = f.from, to, nil
	if f.query.Limit > 0 {
		f.args["limit"] = f.query.Limit - f.visited
	}
	sql := listAllChanges(f.sources, f.query.CI != "")
	err = db.ForEach(ctx, f.tx, "list changes", sql, f.args, func(row feedRow) error {
		f.visited++
		return f.visit(row.change(), row.position())
	})
	return f.query.Limit > 0 && f.visited >= f.query.Limit, err
}

func (r feedRow) position() inventory.Position {
	return inventory.Position{
		r.At.UTC().Format(time.RFC3339Nano), r.Type, strconv.FormatInt(r.N1, 10), r.Key, strconv.FormatInt(r.N2, 10),
	}
}

func (r feedRow) change() inventory.FeedChange {
	return inventory.FeedChange{
		At: r.At, Type: r.Type, Action: r.Action, CI: inventory.CIRef{ID: r.CI, Class: r.Class, Name: r.Name},
		Source: r.Source, Subject: r.Subject, Name: r.Other, Old: json.RawMessage(r.Old), New: json.RawMessage(r.New),
		Actor: r.Actor, Reason: r.Reason,
	}
}
