package api

import (
	"context"
	"errors"
	"time"
)

// historyStore has the past.
type historyStore interface {
	clockStore
	changeStore
	baselineStore
}

// clockStore knows what time it is and what is settled.
type clockStore interface {
	// Now is the clock by which changes get their instants.
	Now(ctx context.Context) (time.Time, error)
	// WaitUntilVisible waits until every change with an instant up to asOf can be seen.
	WaitUntilVisible(ctx context.Context, asOf time.Time) error
}

// Instant is the parameter of every read.
type Instant struct {
	AsOf Moment `query:"as_of" format:"date-time" doc:"Answer as of this instant (RFC 3339); absent: now."`
}

// Moment is an instant in a query. The zero Moment was not given.
type Moment struct{ time.Time }

// UnmarshalText reads RFC 3339. The zero time would be taken for none.
func (m *Moment) UnmarshalText(text []byte) error {
	at, err := time.Parse(time.RFC3339Nano, string(text))
	if err != nil {
		return errors.New("this is no date and time such as 2026-01-31T12:00:00Z")
	}
	if at.IsZero() {
		return errors.New("this is before all history")
	}
	m.Time = at
	return nil
}

// asOf checks the instant that a request asks about, and waits until all that happened up to it can be seen: the
// answer for an instant is the same for ever. Zero is now.
func (s *server) asOf(ctx context.Context, at Instant) (time.Time, error) {
	return s.visible(ctx, "query.as_of", at.AsOf)
}

// visible is asOf for an instant at any place of the request.
func (s *server) visible(ctx context.Context, location string, at Moment) (time.Time, error) {
	if at.IsZero() {
		return time.Time{}, nil
	}
	if at.After(s.Now()) {
		return time.Time{}, invalid(location, "the instant is in the future")
	}
	return at.Time, s.Store.WaitUntilVisible(ctx, at.Time)
}

// echo is an instant as answers repeat it: absent where the request named none.
func echo(asOf time.Time) *time.Time {
	if asOf.IsZero() {
		return nil
	}
	asOf = asOf.UTC()
	return &asOf
}
