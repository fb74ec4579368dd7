package ingest_test

import (
	"crypto/rand"
	"encoding/json"
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/klauspost/compress/zstd"
	"google.golang.org/protobuf/proto"

	"github.com/musterhq/muster/internal/ingest"
	"github.com/musterhq/muster/internal/inventory"
	"github.com/musterhq/muster/internal/pgtest"
	"github.com/musterhq/muster/internal/store"
	"github.com/musterhq/muster/internal/wire"
	inventoryv1 "github.com/musterhq/muster/proto/muster/inventory/v1"
)

func TestMain(m *testing.M) { pgtest.Main(m, store.Migrate) }

// fixture is a store with an ingester at work.
type fixture struct {
	*store.Store
	url      string
	ingester *ingest.Ingester
	decoder  *ingest.Decoder
	token    [32]byte
}

func newFixture(t testing.TB) *fixture {
	t.Helper()
	url := pgtest.New(t)
	s, err := store.Open(t.Context(), url, store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	e := &fixture{Store: s, url: url}
	if e.ingester, err = ingest.New(s, ingest.Options{}); err != nil {
		t.Fatal(err)
	}
	if e.decoder, err = ingest.NewDecoder(); err != nil {
		t.Fatal(err)
	}
	runIngester(t, e.ingester)
	_, _ = rand.Read(e.token[:])
	_, err = s.CreateEnrollmentToken(t.Context(), inventory.EnrollmentToken{
		Name: "test", MaxUses: 1_000_000, ExpiresAt: time.Now().Add(time.Hour),
	}, e.token)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// machine is what an agent knows: who it is and what it sent last.
type machine struct {
	*fixture
	key   [32]byte
	acked map[string]wire.Set
}

func (e *fixture) enroll(t testing.TB) *machine {
	t.Helper()
	m := &machine{fixture: e, acked: map[string]wire.Set{}}
	_, _ = rand.Read(m.key[:])
	if _, err := e.Enroll(t.Context(), inventory.Enrollment{Token: e.token, Key: m.key, From: netip.MustParseAddr("192.0.2.1"), Expires: time.Now().Add(time.Hour)}); err != nil {
		t.Fatal(err)
	}
	return m
}

// report is what a machine says of its sections.
type report map[string]section

type section struct {
	status inventory.Status
	items  []proto.Message
}

// observe sends a report: sections that the machine sent before as deltas where that is allowed,
// others whole.
func (m *machine) observe(t testing.TB, r report) (ingest.Result, error) {
	t.Helper()
	obs := m.prepare(t, r)
	result, err := m.ingester.Apply(t.Context(), obs)
	if err == nil {
		for name, s := range r {
			if s.status.Collected() {
				m.acked[name] = setOf(t, name, s.items)
			}
		}
	}
	return result, err
}

func (m *machine) prepare(t testing.TB, r report) *ingest.CheckIn {
	t.Helper()
	record, err := m.Record(t.Context(), m.key)
	if err != nil {
		t.Fatal(err)
	}
	states, err := m.SectionStates(t.Context(), record.ID)
	if err != nil {
		t.Fatal(err)
	}
	obs := &ingest.CheckIn{Record: record, States: states, Token: []byte("token"), Hardware: map[string]uint64{"mac": 7}}
	names := make([]string, 0, len(r))
	for name := range r {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		obs.Summaries = append(obs.Summaries, m.describe(t, obs, name, r[name]))
	}
	obs.Root = wire.InventoryRoot(obs.Summaries)
	return obs
}

// describe summarizes a section and adds its update, if the collector wants one.
func (m *machine) describe(t testing.TB, obs *ingest.CheckIn, name string, s section) wire.Summary {
	t.Helper()
	summary := wire.Summary{Section: name, Status: s.status}
	if !s.status.Collected() {
		summary.Message = "not today"
		return summary
	}
	set, state := setOf(t, name, s.items), obs.States[name]
	summary.Root = set.Root()
	if state.Collected && state.Root == set.Root() && !(state.Superset && s.status.Complete()) {
		return summary
	}
	u := &ingest.Update{Section: lookup(t, name), Root: set.Root()}
	items := &inventoryv1.Items{}
	acked, sentBefore := m.acked[name]
	if sentBefore && s.status.Complete() && state.Collected && acked.Root() == state.Root && !state.Superset {
		base := acked.Root()
		u.Base = &base
		items.Added, items.Removed = added(acked, set), removed(acked, set)
	} else {
		items.Added = added(wire.Set{}, set)
	}
	for first := true; first || len(items.GetAdded()) > 0; first = false {
		n := min(len(items.GetAdded()), 4000)
		chunk := &inventoryv1.Items{Added: items.GetAdded()[:n], Removed: items.GetRemoved()}
		if err := m.decoder.Add(u, pack(t, chunk)); err != nil {
			t.Fatal(err)
		}
		items = &inventoryv1.Items{Added: items.GetAdded()[n:]}
	}
	obs.Updates = append(obs.Updates, u)
	return summary
}

func added(before, after wire.Set) []*inventoryv1.Item {
	held := hashes(before)
	var items []*inventoryv1.Item
	for _, item := range after.Items() {
		if !held[item.Hash] {
			items = append(items, &inventoryv1.Item{Facts: item.Facts, Readings: item.Readings})
		}
	}
	return items
}

func removed(before, after wire.Set) [][]byte {
	held := hashes(after)
	var facts [][]byte
	for _, item := range before.Items() {
		if !held[item.Hash] {
			facts = append(facts, item.Facts)
		}
	}
	return facts
}

func hashes(s wire.Set) map[wire.Hash]bool {
	held := map[wire.Hash]bool{}
	for _, item := range s.Items() {
		held[item.Hash] = true
	}
	return held
}

func pack(t testing.TB, items *inventoryv1.Items) []byte {
	t.Helper()
	raw, err := proto.Marshal(items)
	if err != nil {
		t.Fatal(err)
	}
	encoder, err := zstd.NewWriter(nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = encoder.Close() }()
	return encoder.EncodeAll(raw, nil)
}

func setOf(t testing.TB, name string, items []proto.Message) wire.Set {
	t.Helper()
	set, verdicts := lookup(t, name).NewSet(items)
	if len(verdicts) > 0 {
		t.Fatalf("the test's own items: %v", verdicts)
	}
	return set
}

func lookup(t testing.TB, name string) *wire.Section {
	t.Helper()
	s, ok := wire.Lookup(name)
	if !ok {
		t.Fatalf("no section %s", name)
	}
	return s
}

// held returns the facts of a section as the store has them, sorted.
func (m *machine) held(t testing.TB, name string, asOf time.Time) []string {
	t.Helper()
	record, err := m.Record(t.Context(), m.key)
	if err != nil {
		t.Fatal(err)
	}
	var facts []string
	query := inventory.ItemQuery{Device: record.CI, Section: name, Page: inventory.Page{AsOf: asOf}}
	err = m.ListDeviceItems(t.Context(), query, func(item inventory.HeldItem, _ inventory.Position) error {
		facts = append(facts, string(item.Facts))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(facts)
	return facts
}

// facts returns what held should find.
func facts(t testing.TB, name string, items []proto.Message) []string {
	t.Helper()
	s := lookup(t, name)
	var list []string
	for _, item := range items {
		list = append(list, string(s.AppendFacts(nil, item.ProtoReflect())))
	}
	slices.Sort(list)
	return slices.Compact(list)
}

// changes lists the changes of a section as old>new versions, oldest first.
func (m *machine) changes(t testing.TB, name string) []string {
	t.Helper()
	record, err := m.Record(t.Context(), m.key)
	if err != nil {
		t.Fatal(err)
	}
	version := func(facts json.RawMessage) string {
		var f struct{ Name, Version string }
		if len(facts) > 0 {
			if err := json.Unmarshal(facts, &f); err != nil {
				t.Fatal(err)
			}
		}
		return f.Name + f.Version
	}
	var list []string
	query := inventory.ChangeQuery{Device: record.CI, Section: name}
	err = m.ListDeviceChanges(t.Context(), query, func(c inventory.ItemChange, _ inventory.Position) error {
		list = append(list, version(c.Old)+">"+version(c.New))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	slices.Reverse(list)
	return list
}

func (m *machine) mustRecord(t testing.TB) inventory.Record {
	t.Helper()
	record, err := m.Record(t.Context(), m.key)
	if err != nil {
		t.Fatal(err)
	}
	return record
}

func unmarshal(t testing.TB, text []byte, into any) {
	t.Helper()
	if err := json.Unmarshal(text, into); err != nil {
		t.Fatal(err)
	}
}
