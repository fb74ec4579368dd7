package api

import (
	"context"
	"encoding/csv"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/musterhq/muster/internal/inventory"
)

// formulas are texts that spreadsheets would run, and what they become.
var formulas = map[string]string{
	`=1+1`:                            `'=1+1`,
	`=cmd|'/c calc'!A0`:               `'=cmd|'/c calc'!A0`,
	`=HYPERLINK("http://x.test","y")`: `'=HYPERLINK("http://x.test","y")`,
	`@SUM(1+1)*cmd|' /C calc'!A0`:     `'@SUM(1+1)*cmd|' /C calc'!A0`,
	`+1+1`:                            `'+1+1`,
	`-1+1`:                            `'-1+1`,
	"\t=1+1":                          "'\t'=1+1",
	"\r=1+1":                          "'\r'=1+1",
	"\x00=1":                          "'\x00=1",
	`a;=1+1`:                          `a;'=1+1`,
	`a,=1+1`:                          `a,'=1+1`,
	"a\n=1+1":                         "a\n'=1+1",
	"a\t-1":                           "a\t'-1",
	`";=1+1`:                          `";'=1+1`,
	`a=b`:                             `a=b`,
	`a+b-c@d`:                         `a+b-c@d`,
	`5.2-1+b7`:                        `5.2-1+b7`,
	`bash`:                            `bash`,
	`'=1`:                             `''=1`,
	`a;'b`:                            `a;''b`,
	`O'Brien`:                         `O'Brien`,
	``:                                ``,
}

func TestGuard(t *testing.T) {
	t.Parallel()
	for text, want := range formulas {
		if got := escapeFormula(text); got != want {
			t.Errorf("escapeFormula(%q) = %q, want %q", text, got, want)
		}
	}
}

// FuzzGuard: however a reader splits the cells, none begins with a formula, and nothing is lost.
func FuzzGuard(f *testing.F) {
	for text := range formulas {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		guarded := escapeFormula(text)
		for _, cell := range strings.FieldsFunc(guarded, func(r rune) bool { return r == ';' || r == ',' || r == '\n' }) {
			if cell != "" && strings.ContainsRune("=+-@", rune(cell[0])) {
				t.Errorf("%q becomes %q, with the cell %q", text, guarded, cell)
			}
		}
		if strings.ReplaceAll(guarded, "'", "") != strings.ReplaceAll(text, "'", "") {
			t.Errorf("%q becomes %q", text, guarded)
		}
	})
}

func TestCSVIsInert(t *testing.T) {
	t.Parallel()
	e := newFixture(t)
	m := e.newMachine(t)
	m.report(t, computer("=1+1"))
	a := e.get(t, "/api/v1/devices?format=csv")
	lines, err := csv.NewReader(strings.NewReader(string(a.body))).ReadAll()
	check(t, err)
	want := []string{
		"id", "name", "class", "manufacturer", "model", "serial_number", "uuid", "os_name", "os_version", "first_seen", "last_seen",
	}
	if diff := cmp.Diff(want, lines[0]); diff != "" {
		t.Errorf("columns (-want +got):\n%s", diff)
	}
	if len(lines) != 2 || lines[1][1] != "'=1+1" {
		t.Errorf("lines = %q", lines)
	}
	if !strings.HasSuffix(string(a.body), "\r\n") {
		t.Error("lines do not end as RFC 4180 says")
	}
	for name, want := range map[string]string{
		"Content-Type":           "text/csv; charset=utf-8; header=present",
		"X-Content-Type-Options": "nosniff",
		"Cache-Control":          "no-store",
	} {
		if got := a.header.Get(name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	if a.trailer.Get(rowsTrailer) != "1" {
		t.Errorf("trailer = %v", a.trailer)
	}
}

func TestFormats(t *testing.T) {
	t.Parallel()
	e := newFixture(t)
	then := e.now(t)
	e.newMachine(t).report(t, computer("alpha"))
	for _, c := range []struct{ query, accept, want string }{
		{"", "", "application/json"},
		{"", "*/*", "application/json"},
		{"", "text/html, */*;q=0.8", "application/json"},
		{"", "text/csv", "text/csv"},
		{"", "application/json;q=0.5, text/csv", "text/csv"},
		{"", "text/csv;q=0.5, application/json", "application/json"},
		{"", "Application/X-NDJSON", "application/x-ndjson"},
		{"", "text/csv;q=0", "application/json"},
		{"format=json", "text/csv", "application/json"},
		{"format=csv", "application/json", "text/csv"},
		{"format=ndjson", "", "application/x-ndjson"},
	} {
		a := e.do(t, http.MethodGet, "/api/v1/devices?"+c.query, "", http.Header{"Accept": {c.accept}})
		if got, _, _ := strings.Cut(a.header.Get("Content-Type"), ";"); got != c.want {
			t.Errorf("%q with Accept %q: %s, want %s", c.query, c.accept, got, c.want)
		}
	}
	empty := e.get(t, "/api/v1/devices?format=csv&"+asOf(then))
	if lines := strings.Count(string(empty.body), "\r\n"); lines != 1 || empty.trailer.Get(rowsTrailer) != "0" {
		t.Errorf("an empty list: %q, trailer %v", empty.body, empty.trailer)
	}
	want := `attachment; filename="muster-devices-` + then.UTC().Format("20060102T150405Z") + `.csv"`
	if got := empty.header.Get("Content-Disposition"); got != want {
		t.Errorf("Content-Disposition: %s, want %s", got, want)
	}
}

// brokenStore fails after some rows.
type brokenStore struct {
	Store

	rows int
}

func (s brokenStore) ListDevices(_ context.Context, _ inventory.DeviceQuery, visit inventory.Visit[inventory.Device]) error {
	for i := range s.rows {
		if err := visit(inventory.Device{Name: strconv.Itoa(i)}, nil); err != nil {
			return err
		}
	}
	return errors.New("select secret from somewhere")
}

func (brokenStore) APIToken(context.Context, [32]byte) (inventory.APIToken, bool, error) {
	return inventory.APIToken{}, true, nil
}

func brokenServer(t *testing.T, rows int) *fixture {
	t.Helper()
	e := &fixture{token: "any"}
	o := e.options()
	o.Store = brokenStore{rows: rows}
	o.Ready = func(context.Context) error { return errors.New("secret host") }
	e.server = httptest.NewServer(New(o))
	t.Cleanup(e.server.Close)
	return e
}

// TestBrokenStreamIsSeen: a list that was cut off must not look like a whole one.
func TestBrokenStreamIsSeen(t *testing.T) {
	t.Parallel()
	before := brokenServer(t, 0).do(t, http.MethodGet, "/api/v1/devices?format=csv", "", nil)
	if before.status != http.StatusInternalServerError || strings.Contains(string(before.body), "secret") {
		t.Errorf("broken before the first row: %d %s", before.status, before.body)
	}
	e := brokenServer(t, 100_000)
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, e.server.URL+"/api/v1/devices?format=ndjson", nil)
	check(t, err)
	r.Header.Set("Authorization", "Bearer any")
	response, err := e.server.Client().Do(r)
	check(t, err)
	defer func() { _ = response.Body.Close() }()
	if _, err := io.Copy(io.Discard, response.Body); err == nil {
		t.Error("the reader of a broken stream sees no error")
	}
}

// endlessStore has always one more device.
type endlessStore struct {
	brokenStore

	stopped chan error
}

func (s endlessStore) ListDevices(ctx context.Context, _ inventory.DeviceQuery, visit inventory.Visit[inventory.Device]) error {
	for {
		if err := visit(inventory.Device{Name: "one more"}, nil); err != nil {
			s.stopped <- err
			return err
		}
		if err := ctx.Err(); err != nil {
			s.stopped <- err
			return err
		}
	}
}

// TestStreamsEndWithTheirReaders: who stops reading frees the database, and there are only so many
// streams at a time.
func TestStreamsEndWithTheirReaders(t *testing.T) {
	t.Parallel()
	e := &fixture{token: "any"}
	o := e.options()
	stopped := make(chan error, maxStreams)
	o.Store = endlessStore{stopped: stopped}
	e.server = httptest.NewServer(New(o))
	t.Cleanup(e.server.Close)

	var readers []io.Closer
	for range maxStreams {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, e.server.URL+"/api/v1/devices?format=csv", nil)
		check(t, err)
		r.Header.Set("Authorization", "Bearer any")
		response, err := e.server.Client().Do(r) //nolint:bodyclose // below
		check(t, err)
		readers = append(readers, response.Body)
	}
	full := e.do(t, http.MethodGet, "/api/v1/devices?format=csv", "", nil)
	if full.status != http.StatusServiceUnavailable || full.header.Get("Retry-After") == "" {
		t.Errorf("one stream too many: %d %v", full.status, full.header)
	}
	for _, reader := range readers {
		check(t, reader.Close())
	}
	for range readers {
		select {
		case <-stopped:
		case <-time.After(10 * time.Second):
			t.Fatal("a stream goes on without its reader")
		}
	}
}
