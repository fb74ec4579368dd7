package e2e

import (
	"context"
	"net/url"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"
)

// database is a test's direct access to a collector's database.
type database struct {
	*pgx.Conn

	url string
}

func open(t testing.TB, url string) *database {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	d := &database{Conn: conn, url: url}
	t.Cleanup(func() { _ = conn.Close(context.Background()) })
	return d
}

func (d *database) exec(t testing.TB, sql string, args ...any) {
	t.Helper()
	if _, err := d.Exec(t.Context(), sql, args...); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
}

// value queries one value.
func value[T any](t testing.TB, d *database, sql string, args ...any) T {
	t.Helper()
	var got T
	if err := d.QueryRow(t.Context(), sql, args...).Scan(&got); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
	return got
}

// versionOf returns the version of an agent's record.
func (d *database) versionOf(t testing.TB, agentID string) int64 {
	t.Helper()
	return value[int64](t, d, `
		select r.version from agent a join source_record r on r.id = a.record_id where a.agent_id = $1`, agentID)
}

// incidents lists the types of the ratchet's findings, in order.
func (d *database) incidents(t testing.TB) []string {
	t.Helper()
	return value[[]string](t, d, `select coalesce(array_agg(type order by at), '{}') from sync_incident`)
}

func checkIncidents(t testing.TB, d *database, want ...string) {
	t.Helper()
	if diff := cmp.Diff(want, append([]string(nil), d.incidents(t)...)); diff != "" {
		t.Errorf("incidents (-want +got):\n%s", diff)
	}
}

// sibling returns the URL of another database of the same server.
func sibling(t testing.TB, of, name string) string {
	t.Helper()
	parsed, err := url.Parse(of)
	if err != nil {
		t.Fatal(err)
	}
	parsed.Path = "/" + name
	return parsed.String()
}
