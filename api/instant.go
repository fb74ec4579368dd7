package api

import (
	"context"
	"errors"
	"time"
)

// historyStore reads the history.
type historyStore interface {
	clockStore
	changeStore
	baselineStore
}

// clockStore has the clock of the store and knows which commits are visible.
type clockStore interface {
	// Now returns the time of the clock that timestamps changes.
	Now(ctx context.Context) (time.Time, error)
	// WaitUntilVisible waits until every commit up to asOf is visible.
	WaitUntilVisible(ctx context.Context, asOf time.Time) error
}

// Instant is the parameter of every read.
type Instant struct {
	AsOf Moment `query:"as_of" format:"date-time" doc:"Answer as of this instant (RFC 3339). Absent: now."`
}

// Moment is an instant in a query. The zero value is an absent parameter.
type Moment struct{ time.Time }

// UnmarshalText parses RFC 3339. It rejects the zero time, which stands for an absent parameter.
func (m *Moment) UnmarshalText(text []byte) error {
	at, err := time.Parse(time.RFC3339Nano, string(text))
	if err != nil {
		return errors.New("the value is not a date and time such as 2026-01-31T12:00:00Z")
	}
	if at.IsZero() {
		return errors.New("the instant is before the first inventory; give a later one")
	}
	m.Time = at
	return nil
}

// asOf returns the instant of a read; zero is now. It waits until every commit up to that instant is
// visible, so that the answer for an instant never changes.
func (s *server) asOf(ctx context.Context, at Instant) (time.Time, error) {
	return s.visible(ctx, "query.as_of", at.AsOf)
}

// visible is asOf for an instant at any location in the request.
func (s *server) visible(ctx context.Context, location string, at Moment) (time.Time, error) {
	if at.IsZero() {
		return time.Time{}, nil
	}
	if at.After(s.Now()) {
		return time.Time{}, invalid(location, "the instant is in the future; give an earlier one")
	}
	return at.Time, s.Store.WaitUntilVisible(ctx, at.Time)
}

// echo returns the as_of of a response, nil if the request has none.
func echo(asOf time.Time) *time.Time {
	if asOf.IsZero() {
		return nil
	}
	asOf = asOf.UTC()
	return &asOf
}
