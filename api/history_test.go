package api

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"

	"github.com/musterhq/muster/internal/inventory"
)

// snapshot is what the API must say of an instant, written down when it was now.
type snapshot struct {
	at        time.Time
	devices   []string            // names, sorted
	software  map[string][]string // by device id: name version, sorted
	statuses  map[string]string   // by device id: of the section software, with its number of items
	counts    map[string]int64    // by name version
	devicesOf map[string][]string // by name version: device names, sorted
}

// player is a machine of a random history and what it holds.
type player struct {
	*machine
	name   string
	held   map[string]string // software: name → version
	status inventory.Status
	seen   bool // software was collected at least once
}

// notVisibleStore has changes under way that take too long.
type notVisibleStore struct{ emptyStore }

func (notVisibleStore) WaitUntilVisible(context.Context, time.Time) error {
	return &inventory.Error{Code: inventory.CodeUnavailable, Message: "ask again"}
}

// TestInstantsNotYetVisible: where the answer for an instant might still become another, there is
// none.
func TestInstantsNotYetVisible(t *testing.T) {
	t.Parallel()
	e := &fixture{token: "any"}
	o := e.options()
	o.Store = notVisibleStore{}
	e.server = httptest.NewServer(New(o))
	t.Cleanup(e.server.Close)
	past := asOf(time.Now().Add(-time.Second))
	for address, want := range map[string]int{
		"/api/v1/devices":                    http.StatusOK,
		"/api/v1/devices?" + past:            http.StatusServiceUnavailable,
		"/api/v1/devices?format=csv&" + past: http.StatusServiceUnavailable,
		"/api/v1/software/1?" + past:         http.StatusServiceUnavailable,
	} {
		if a := e.do(t, http.MethodGet, address, "", nil); a.status != want {
			t.Errorf("%s: %d %s, want %d", address, a.status, a.body, want)
		}
	}
}

// TestAsOf replays random histories: the API is asked about every instant of them, and has to say
// what was true then.
func TestAsOf(t *testing.T) {
	t.Parallel()
	for seed := range uint64(3) {
		t.Run("seed "+strconv.FormatUint(seed, 10), func(t *testing.T) {
			t.Parallel()
			replay(t, newFixture(t), rand.New(rand.NewPCG(seed, 7)))
		})
	}
}

func replay(t *testing.T, e *fixture, r *rand.Rand) {
	t.Helper()
	var players []*player
	var past []snapshot
	for step := range 25 {
		if len(players) < 4 && r.IntN(3) == 0 || len(players) == 0 {
			players = append(players, &player{machine: e.newMachine(t), held: map[string]string{}})
		}
		players[r.IntN(len(players))].step(t, r, step)
		if r.IntN(4) == 0 {
			_, err := e.store.FoldCounts(t.Context(), true)
			check(t, err)
		}
		past = append(past, remember(e.now(t), players))
	}
	for _, want := range past {
		got := observe(t, e, want)
		if diff := cmp.Diff(want, got, cmp.AllowUnexported(snapshot{})); diff != "" {
			t.Fatalf("as of %v (-want +got):\n%s", want.at, diff)
		}
	}
}

// step lets a machine change and report. Reports that are not complete change nothing of what is
// known, except for what a partial one adds.
func (p *player) step(t *testing.T, r *rand.Rand, step int) {
	t.Helper()
	p.status = []inventory.Status{
		inventory.StatusOK, inventory.StatusOK, inventory.StatusOK, inventory.StatusPartial, inventory.StatusDenied,
	}[r.IntN(5)]
	if p.name == "" || r.IntN(5) == 0 {
		p.name = fmt.Sprintf("host-%02d", step)
	}
	now := map[string]string{}
	for _, name := range []string{"a", "b", "c", "d", "e", "f"} {
		if r.IntN(2) == 0 {
			now[name] = strconv.Itoa(1 + r.IntN(3))
		}
	}
	var list []proto.Message
	for _, name := range slices.Sorted(maps.Keys(now)) {
		list = append(list, debian(name, now[name]))
	}
	if p.status == inventory.StatusOK {
		p.held = map[string]string{}
	}
	if p.status.Collected() {
		maps.Copy(p.held, now)
		p.seen = true
	}
	parts := computer(p.name)
	parts["software"] = part{p.status, list}
	p.report(t, parts)
}

func remember(at time.Time, players []*player) snapshot {
	s := snapshot{
		at: at, software: map[string][]string{}, statuses: map[string]string{}, counts: map[string]int64{},
		devicesOf: map[string][]string{},
	}
	for _, p := range players {
		if p.name == "" {
			continue
		}
		s.devices = append(s.devices, p.name)
		s.statuses[p.device] = string(p.status)
		if p.seen {
			s.statuses[p.device] += " " + strconv.Itoa(len(p.held))
		}
		s.software[p.device] = nil
		for name, version := range p.held {
			title := name + " " + version
			s.software[p.device] = append(s.software[p.device], title)
			s.counts[title]++
			s.devicesOf[title] = append(s.devicesOf[title], p.name)
		}
	}
	return s.sort()
}

func (s snapshot) sort() snapshot {
	slices.Sort(s.devices)
	for _, lists := range []map[string][]string{s.software, s.devicesOf} {
		for _, list := range lists {
			slices.Sort(list)
		}
	}
	return s
}

// observe asks the API for everything that is in a snapshot.
func observe(t *testing.T, e *fixture, want snapshot) snapshot {
	t.Helper()
	got := snapshot{
		at: want.at, software: map[string][]string{}, statuses: map[string]string{}, counts: map[string]int64{},
		devicesOf: map[string][]string{},
	}
	at := asOf(want.at)
	for _, d := range items[inventory.Device](t, e, "/api/v1/devices?"+at) {
		got.devices = append(got.devices, d.Name)
		got.software[d.ID] = nil
		for _, held := range items[inventory.Software](t, e, "/api/v1/devices/"+d.ID+"/software?"+at) {
			got.software[d.ID] = append(got.software[d.ID], held.Name+" "+held.Version)
		}
		for _, s := range items[inventory.DeviceSection](t, e, "/api/v1/devices/"+d.ID+"/sections?"+at) {
			if s.Name != "software" {
				continue
			}
			got.statuses[d.ID] = string(s.Status)
			if s.Items != nil {
				got.statuses[d.ID] += " " + strconv.Itoa(int(*s.Items))
			}
		}
	}
	for _, s := range items[inventory.Software](t, e, "/api/v1/software?"+at) {
		title := s.Name + " " + s.Version
		got.counts[title] = s.InstallCount
		for _, d := range items[inventory.Device](t, e, path("software", s.ID)+"/devices?"+at) {
			got.devicesOf[title] = append(got.devicesOf[title], d.Name)
		}
	}
	return got.sort()
}

func path(noun string, id int32) string { return "/api/v1/" + noun + "/" + strconv.Itoa(int(id)) }

func sorted(list []string) []string {
	slices.Sort(list)
	return list
}
