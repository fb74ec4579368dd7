package link_test

import (
	"context"
	"fmt"
	"log/slog"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/musterhq/muster/agent/link"
	"github.com/musterhq/muster/agent/state"
	"github.com/musterhq/muster/internal/inventory"
	inventoryv1 "github.com/musterhq/muster/proto/muster/inventory/v1"
)

// machine is a simulated machine. It may change while the agent runs.
type machine struct {
	mu       sync.Mutex
	clock    time.Time
	status   inventory.Status
	software []proto.Message
	volumes  []proto.Message
	serial   string
	collects int
}

func newMachine(software ...string) *machine {
	m := &machine{clock: birth, status: inventory.StatusOK, serial: "S1"}
	m.software = packages(software...)
	m.volumes = []proto.Message{&inventoryv1.Volume{MountPoint: "/", FsType: "ext4", FreeBytes: proto.Uint64(1 << 30)}}
	return m
}

func packages(names ...string) []proto.Message {
	items := make([]proto.Message, len(names))
	for i, name := range names {
		items[i] = &inventoryv1.Software{Source: "dpkg", Name: name, Version: "1.0", Arch: "amd64", InstallLocation: "/usr"}
	}
	return items
}

func (m *machine) with(change func()) {
	m.mu.Lock()
	defer m.mu.Unlock()
	change()
}

func (m *machine) now() time.Time {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.clock
}

func (m *machine) collect(context.Context) link.Inventory {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.collects++
	system := []proto.Message{&inventoryv1.System{Manufacturer: "ACME", SerialNumber: m.serial}}
	message := ""
	if m.status != inventory.StatusOK {
		message = "some of it could not be read"
	}
	return link.Inventory{
		Sections: []link.Section{
			link.NewSection("system", inventory.StatusOK, "", 0, system),
			link.NewSection("volume", inventory.StatusOK, "", 0, m.volumes),
			link.NewSection("software", m.status, message, 3*time.Millisecond, m.software),
			link.NewSection("display", inventory.StatusUnsupported, "no displays here", 0, nil),
		},
		Hardware: link.Hardware(system),
	}
}

// wanted returns the facts of the machine's software, sorted, as the collector should hold them.
func (m *machine) wanted() []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	section := link.NewSection("software", inventory.StatusOK, "", 0, m.software)
	facts := make([]string, 0, len(section.Set.Items()))
	for _, item := range section.Set.Items() {
		facts = append(facts, string(item.Facts))
	}
	slices.Sort(facts)
	return facts
}

// newAgent enrolls an agent for the machine with the collector.
func newAgent(t *testing.T, c *collector, m *machine) *link.Agent {
	t.Helper()
	return resume(t, enrolled(t, c, m), m)
}

// enrolled makes a state directory with an identity.
func enrolled(t *testing.T, c *collector, m *machine) string {
	t.Helper()
	identity, err := link.Enroll(t.Context(), link.Enrollment{Collector: c.address, Token: goodToken, Pin: c.authority.Pin()}, m.now)
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(t.TempDir(), "state")
	s := openState(t, dir)
	if err := s.SetIdentity(identity); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	return dir
}

// resume starts an agent on an existing state.
func resume(t *testing.T, dir string, m *machine) *link.Agent {
	t.Helper()
	return &link.Agent{
		State: openState(t, dir), Collect: m.collect, Version: "1.2.3", BootID: "boot-1", Now: m.now,
		Logger: slog.New(slog.NewTextHandler(logged{t}, nil)),
	}
}

func openState(t *testing.T, dir string) *state.State {
	t.Helper()
	s, err := state.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// logged writes the agent's log to the log of the test.
type logged struct{ t *testing.T }

func (l logged) Write(p []byte) (int, error) {
	l.t.Log(string(p))
	return len(p), nil
}

func mustSync(t *testing.T, a *link.Agent) link.Report {
	t.Helper()
	report, err := a.Sync(t.Context())
	if err != nil {
		t.Fatal(link.Explain(err))
	}
	return report
}

func names(n int) []string {
	list := make([]string, n)
	for i := range list {
		list[i] = fmt.Sprintf("package-%06d", i)
	}
	return list
}

func agentID(t *testing.T, a *link.Agent) string {
	t.Helper()
	identity, err := a.State.Identity()
	if err != nil {
		t.Fatal(err)
	}
	return identity.AgentID
}
