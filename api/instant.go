package api

import (
	"errors"
	"time"
)

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

// asOf checks the instant that a request asks about. Zero is now.
func (s *server) asOf(at Instant) (time.Time, error) {
	if at.AsOf.After(s.Now()) {
		return time.Time{}, invalid("query.as_of", "the instant is in the future")
	}
	return at.AsOf.Time, nil
}

// echo is an instant as answers repeat it: absent where the request named none.
func echo(asOf time.Time) *time.Time {
	if asOf.IsZero() {
		return nil
	}
	asOf = asOf.UTC()
	return &asOf
}
