package api

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/klauspost/compress/zstd"
	"google.golang.org/protobuf/proto"

	"github.com/musterhq/muster/internal/catalog"
	"github.com/musterhq/muster/internal/ingest"
	"github.com/musterhq/muster/internal/inventory"
	"github.com/musterhq/muster/internal/pgtest"
	"github.com/musterhq/muster/internal/pki"
	"github.com/musterhq/muster/internal/reconcile"
	"github.com/musterhq/muster/internal/store"
	"github.com/musterhq/muster/internal/wire"
	inventoryv1 "github.com/musterhq/muster/proto/muster/inventory/v1"
)

func TestMain(m *testing.M) { pgtest.Main(m, store.Migrate) }

// fixture is an API over a real database, with an ingester that fills it.
type fixture struct {
	store    *store.Store
	ingester *ingest.Ingester
	decoder  *ingest.Decoder
	server   *httptest.Server
	token    string // for the API
	enroll   [32]byte
}

func newFixture(t testing.TB) *fixture {
	t.Helper()
	e := &fixture{token: pki.NewToken(pki.APIPrefix)}
	e.openStore(t)
	e.startIngester(t)
	_, err := e.store.CreateAPIToken(t.Context(), "test", pki.HashToken(e.token))
	check(t, err)
	_, _ = rand.Read(e.enroll[:])
	_, err = e.store.CreateEnrollmentToken(t.Context(), inventory.EnrollmentToken{
		Name: "inventory", MaxUses: 1_000_000, ExpiresAt: time.Now().Add(time.Hour),
	}, e.enroll)
	check(t, err)
	e.server = httptest.NewServer(New(e.options()))
	t.Cleanup(e.server.Close)
	return e
}

func (e *fixture) openStore(t testing.TB) {
	t.Helper()
	var err error
	e.store, err = store.Open(t.Context(), pgtest.New(t), store.Options{})
	check(t, err)
	t.Cleanup(e.store.Close)
}

func (e *fixture) startIngester(t testing.TB) {
	t.Helper()
	var err error
	e.ingester, err = ingest.New(e.store, ingest.Options{})
	check(t, err)
	e.decoder, err = ingest.NewDecoder()
	check(t, err)
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	stopped := make(chan struct{})
	go func() { e.ingester.Run(ctx); close(stopped) }()
	t.Cleanup(func() { cancel(); <-stopped })
}

func (e *fixture) options() Options {
	return Options{
		Store:           e.store,
		Sections:        sections(),
		CompareVersions: catalog.CompareVersions,
		ObservationState: func(ci inventory.CIDetails, now time.Time) string {
			return reconcile.DefaultPrecedence().ObservationState(ci, now, 15*time.Minute)
		},
		Version:            "test",
		NewEnrollmentToken: func() string { return pki.NewToken(pki.EnrollPrefix) },
		HashToken:          pki.HashToken,
		CAPin:              "sha256:pin",
		EnrollCommand:      func(token string) string { return "muster-agent enroll --token " + token },
		Import:             e.ingester.Import,
		Ready:              func(ctx context.Context) error { return e.store.Ready(ctx) },
		Logger:             slog.New(slog.DiscardHandler),
	}
}

func sections() []Section {
	var list []Section
	for _, s := range wire.Sections() {
		section := Section{
			Name: s.Name, Columns: s.Fields(), Keys: s.Keys(),
			Readings: func(encoded []byte) ([]byte, error) {
				m, err := s.Decode(encoded)
				if err != nil {
					return nil, err
				}
				return s.AppendReadings(nil, m), nil
			},
		}
		if s.Name == "gpu" {
			section.Named = []string{"vendor_name"}
			section.Names = func([]byte) []byte { return []byte(`{"vendor_name":"Intel Corporation"}`) }
		}
		list = append(list, section)
	}
	return list
}

// machine is one that reports.
type machine struct {
	fixture *fixture
	key     [32]byte
	device  string // its id, after the first report
}

func (e *fixture) newMachine(t testing.TB) *machine {
	t.Helper()
	m := &machine{fixture: e}
	_, _ = rand.Read(m.key[:])
	_, err := e.store.Enroll(t.Context(), inventory.Enrollment{Token: e.enroll, Key: m.key, From: netip.MustParseAddr("192.0.2.1"), Expires: time.Now().Add(time.Hour)})
	check(t, err)
	return m
}

// part is what a machine says of one section.
type part struct {
	status inventory.Status
	items  []proto.Message
}

// report has a machine say what it holds, every section whole.
func (m *machine) report(t testing.TB, parts map[string]part) {
	t.Helper()
	record, err := m.fixture.store.Record(t.Context(), m.key)
	check(t, err)
	states, err := m.fixture.store.SectionStates(t.Context(), record.ID)
	check(t, err)
	obs := &ingest.CheckIn{Record: record, States: states, Token: []byte("token"), Program: "1.2.3"}
	for _, name := range slices.Sorted(maps.Keys(parts)) {
		summary, update := m.fixture.describe(t, name, parts[name])
		obs.Summaries = append(obs.Summaries, summary)
		if update != nil {
			obs.Updates = append(obs.Updates, update)
		}
	}
	obs.Root = wire.InventoryRoot(obs.Summaries)
	_, err = m.fixture.ingester.Apply(t.Context(), obs)
	check(t, err)
	record, err = m.fixture.store.Record(t.Context(), m.key)
	check(t, err)
	m.device = record.CI
}

func (e *fixture) describe(t testing.TB, name string, p part) (wire.Summary, *ingest.Update) {
	t.Helper()
	summary := wire.Summary{Section: name, Status: p.status}
	if !p.status.Collected() {
		summary.Message = "not today"
		return summary, nil
	}
	section, ok := wire.Lookup(name)
	if !ok {
		t.Fatalf("no section %s", name)
	}
	set, _ := section.NewSet(p.items)
	summary.Root = set.Root()
	items := &inventoryv1.Items{}
	for _, item := range set.Items() {
		items.Added = append(items.Added, &inventoryv1.Item{Facts: item.Facts, Readings: item.Readings})
	}
	took := 7 * time.Millisecond
	update := &ingest.Update{Section: section, Root: set.Root(), Duration: &took}
	raw, err := proto.Marshal(items)
	check(t, err)
	encoder, err := zstd.NewWriter(nil)
	check(t, err)
	check(t, e.decoder.Add(update, encoder.EncodeAll(raw, nil)))
	check(t, encoder.Close())
	return summary, update
}

// computer is what a machine called name says of itself.
func computer(name string) map[string]part {
	return map[string]part{
		"system": {inventory.StatusOK, []proto.Message{&inventoryv1.System{
			Manufacturer: "LENOVO", ProductName: "20XW004AUS", SerialNumber: "PF-" + name, ChassisType: "Notebook",
		}}},
		"os": {inventory.StatusOK, []proto.Message{&inventoryv1.OperatingSystem{
			Name: "Debian GNU/Linux", Version: "12", Hostname: name,
		}}},
	}
}

func debian(name, version string) *inventoryv1.Software {
	return &inventoryv1.Software{Source: "dpkg", Name: name, Version: version, Arch: "amd64", Publisher: "Debian"}
}

func software(items ...proto.Message) part { return part{inventory.StatusOK, items} }

// answer is what the API said.
type answer struct {
	status  int
	header  http.Header
	trailer http.Header
	body    []byte
}

func (a answer) decode(t testing.TB, into any) {
	t.Helper()
	if err := json.Unmarshal(a.body, into); err != nil {
		t.Fatalf("%v in %s", err, a.body)
	}
}

func (e *fixture) do(t testing.TB, method, path, body string, header http.Header) answer {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, e.server.URL+path, strings.NewReader(body))
	check(t, err)
	r.Header.Set("Authorization", "Bearer "+e.token)
	if method != http.MethodGet && method != http.MethodPost {
		r.Header.Set("If-Match", "*")
	}
	maps.Copy(r.Header, header)
	response, err := e.server.Client().Do(r)
	check(t, err)
	defer func() { _ = response.Body.Close() }()
	read, err := io.ReadAll(response.Body)
	check(t, err)
	return answer{response.StatusCode, response.Header, response.Trailer, read}
}

// get asks for what must be there.
func (e *fixture) get(t testing.TB, path string) answer {
	t.Helper()
	a := e.do(t, http.MethodGet, path, "", nil)
	if a.status != http.StatusOK {
		t.Fatalf("GET %s: %d %s", path, a.status, a.body)
	}
	return a
}

// items reads the first page of a list.
func items[T any](t testing.TB, e *fixture, path string) []T {
	t.Helper()
	var page PageOf[T]
	e.get(t, path).decode(t, &page)
	if page.Items == nil {
		t.Errorf("GET %s: items is no list", path)
	}
	return page.Items
}

// now is the database's time, as a parameter.
func (e *fixture) now(t testing.TB) time.Time {
	t.Helper()
	now, err := e.store.Now(t.Context())
	check(t, err)
	return now
}

func asOf(at time.Time) string { return "as_of=" + url.QueryEscape(at.Format(time.RFC3339Nano)) }

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
