package main

import (
	"context"
	"fmt"
	"time"
)

// reading holds the counters of the collector and its database at one time.
type reading struct {
	at                               time.Time
	collector, sessions, maintenance time.Duration // CPU
	statements                       float64
	wal                              int64
}

// expense is the difference of two readings: CPU in milliseconds, WAL in bytes.
type expense struct {
	Collector    float64 `json:"collector_ms"`
	Sessions     float64 `json:"postgresql_sessions_ms"`
	Maintenance  float64 `json:"postgresql_maintenance_ms"`
	Statements   float64 `json:"statements"`
	WALBytes     float64 `json:"wal_bytes"`
	WALFullPages float64 `json:"wal_full_page_bytes"`
	WALRecords   float64 `json:"wal_records"`
}

// cpu returns the sum in milliseconds.
func (e expense) cpu() float64 { return e.Collector + e.Sessions + e.Maintenance }

func (e expense) times(factor float64) expense {
	return expense{
		e.Collector * factor, e.Sessions * factor, e.Maintenance * factor, e.Statements * factor,
		e.WALBytes * factor, e.WALFullPages * factor, e.WALRecords * factor,
	}
}

func (e expense) plus(other expense) expense {
	return expense{
		e.Collector + other.Collector, e.Sessions + other.Sessions, e.Maintenance + other.Maintenance,
		e.Statements + other.Statements,
		e.WALBytes + other.WALBytes, e.WALFullPages + other.WALFullPages, e.WALRecords + other.WALRecords,
	}
}

// less subtracts another expense. The result is not negative, although the noise is known only on
// average.
func (e expense) less(other expense) expense {
	return expense{
		max(e.Collector-other.Collector, 0), max(e.Sessions-other.Sessions, 0), max(e.Maintenance-other.Maintenance, 0),
		max(e.Statements-other.Statements, 0),
		max(e.WALBytes-other.WALBytes, 0), max(e.WALFullPages-other.WALFullPages, 0),
		max(e.WALRecords-other.WALRecords, 0),
	}
}

// subject is a process that works on a database and counts its statements.
type subject interface {
	pid() int
	statements(ctx context.Context) (float64, error)
}

// meters read the counters of a process and its database.
type meters struct {
	subject  subject
	database *database
}

// read reads the counters before the CPU times, because answering takes CPU.
func (m meters) read(ctx context.Context) (r reading, err error) {
	if r.statements, err = m.subject.statements(ctx); err != nil {
		return r, err
	}
	if r.wal, err = m.database.position(ctx); err != nil {
		return r, err
	}
	if r.sessions, r.maintenance, err = m.database.cpu(); err != nil {
		return r, err
	}
	r.at = time.Now()
	r.collector, err = cpuOf(m.subject.pid())
	return r, err
}

// since returns what was spent after a reading.
func (m meters) since(ctx context.Context, from reading) (expense, time.Duration, error) {
	to, err := m.read(ctx)
	if err != nil {
		return expense{}, 0, err
	}
	ms := func(a, b time.Duration) float64 { return float64(b-a) / float64(time.Millisecond) }
	e := expense{
		Collector: ms(from.collector, to.collector), Sessions: ms(from.sessions, to.sessions),
		Maintenance: ms(from.maintenance, to.maintenance),
		Statements:  to.statements - from.statements, WALBytes: float64(to.wal - from.wal),
	}
	e.WALRecords, e.WALFullPages, err = m.database.log(ctx, from.wal, to.wal)
	return e, to.at.Sub(from.at), err
}

// shares shows who spends the CPU.
func shares(e expense) string {
	return fmt.Sprintf("collector %.3f, PostgreSQL %.3f; %.2f statements",
		e.Collector, e.Sessions+e.Maintenance, e.Statements)
}
