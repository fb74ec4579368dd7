package pgtest_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/musterhq/muster/internal/pgtest"
)

func TestMain(m *testing.M) {
	pgtest.Main(m, func(ctx context.Context, url string) error {
		conn, err := pgx.Connect(ctx, url)
		if err != nil {
			return err
		}
		defer func() { _ = conn.Close(context.Background()) }()
		_, err = conn.Exec(ctx, "CREATE TABLE note (text text)")
		return err
	})
}

func connect(t testing.TB, url string) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	return conn
}

func count(t testing.TB, conn *pgx.Conn) (n int) {
	t.Helper()
	if err := conn.QueryRow(t.Context(), "SELECT count(*) FROM note").Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

// Parallel tests see only their own rows, even if they leave connections open.
func TestNew(t *testing.T) {
	t.Parallel()
	for i := range 8 {
		t.Run(fmt.Sprint(i), func(t *testing.T) {
			t.Parallel()
			conn := connect(t, pgtest.New(t))
			if _, err := conn.Exec(t.Context(), "INSERT INTO note VALUES ('mine')"); err != nil {
				t.Fatal(err)
			}
			if got := count(t, conn); got != 1 {
				t.Errorf("got %d rows, want 1", got)
			}
		})
	}
}

func TestCluster(t *testing.T) {
	t.Parallel()
	server := pgtest.Cluster(t)
	url := server.URL()
	conn := connect(t, url)
	for _, statement := range []string{"CREATE TABLE note (text text)", "INSERT INTO note VALUES ('committed')"} {
		if _, err := conn.Exec(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}

	server.Restart(t)
	if err := conn.Ping(t.Context()); err == nil {
		t.Error("the session survived the restart")
	}
	server.Crash(t)
	server.Start(t)
	if server.URL() != url {
		t.Errorf("the URL changed: got %s, want %s", server.URL(), url)
	}
	if got := count(t, connect(t, url)); got != 1 {
		t.Errorf("got %d rows, want 1", got)
	}
}

// BenchmarkNew measures a test's database; dropping it takes another quarter of that.
func BenchmarkNew(b *testing.B) {
	pgtest.New(b) // the server's start is not measured
	for b.Loop() {
		pgtest.New(b)
	}
}
