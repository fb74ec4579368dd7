package e2e

import (
	"errors"
	"io"
	"testing"
	"time"

	"github.com/klauspost/compress/zstd"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/protobuf/proto"

	"github.com/musterhq/muster/agent/state"
	"github.com/musterhq/muster/internal/inventory"
	"github.com/musterhq/muster/internal/pki"
	"github.com/musterhq/muster/internal/wire"
	inventoryv1 "github.com/musterhq/muster/proto/muster/inventory/v1"
)

// stream is a conversation in which the test sends what the agent's link never would.
type stream struct {
	grpc.BidiStreamingClient[inventoryv1.AgentMessage, inventoryv1.CollectorMessage]

	machine *machine
}

// converse opens a conversation as the agent of an identity.
func converse(t testing.TB, c *collector, identity state.Identity, m *machine) *stream {
	t.Helper()
	config, err := pki.ClientTLS(identity.Authorities, identity.TLS(), time.Now)
	if err != nil {
		t.Fatal(err)
	}
	connection, err := grpc.NewClient("dns:///"+c.agents, grpc.WithTransportCredentials(credentials.NewTLS(config)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = connection.Close() })
	opened, err := inventoryv1.NewInventoryClient(connection).Sync(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return &stream{opened, m}
}

func identityOf(t testing.TB, a *agent) state.Identity {
	t.Helper()
	identity, err := a.State.Identity()
	if err != nil {
		t.Fatal(err)
	}
	return identity
}

// say sends a message. That the collector has ended the stream shows in the next receive.
func (s *stream) say(t testing.TB, message *inventoryv1.AgentMessage) {
	t.Helper()
	if err := s.Send(message); err != nil && !errors.Is(err, io.EOF) {
		t.Fatal(err)
	}
}

// receive waits for the collector's next message; the end of the stream is an error.
func (s *stream) receive() (*inventoryv1.CollectorMessage, error) { return s.Recv() }

func (s *stream) hearWant(t testing.TB) *inventoryv1.Want {
	t.Helper()
	message, err := s.receive()
	if err != nil || message.GetWant() == nil {
		t.Fatalf("got %v, %v; want to be asked for something", message, err)
	}
	return message.GetWant()
}

func (s *stream) hearAck(t testing.TB) *inventoryv1.Ack {
	t.Helper()
	message, err := s.receive()
	if err != nil || message.GetAck() == nil {
		t.Fatalf("got %v, %v; want an Ack", message, err)
	}
	return message.GetAck()
}

// checkIn makes a check-in with the machine's current inventory.
func (s *stream) checkIn(t testing.TB, token []byte) *inventoryv1.AgentMessage {
	t.Helper()
	said := &inventoryv1.CheckIn{Token: token, Hello: &inventoryv1.Hello{AgentVersion: "1.2.3", BootId: "boot-1"}}
	inv := s.machine.collect(t.Context())
	summaries := make([]wire.Summary, len(inv.Sections))
	for i, section := range inv.Sections {
		summaries[i] = section.Summary
		summary := &inventoryv1.Summary{Section: section.Section, Status: wire.StatusTo(section.Status), Message: section.Message}
		if section.Status.Collected() {
			summary.Root = section.Root[:]
		}
		said.Sections = append(said.Sections, summary)
	}
	said.Hello.Hardware = inv.Hardware
	root := wire.InventoryRoot(summaries)
	said.InventoryRoot = root[:]
	return &inventoryv1.AgentMessage{Kind: &inventoryv1.AgentMessage_CheckIn{CheckIn: said}}
}

// whole makes an update with a whole section of the machine.
func (s *stream) whole(t testing.TB, section string) *inventoryv1.Update {
	t.Helper()
	set, root := s.set(t, section)
	items := &inventoryv1.Items{}
	for _, item := range set.Items() {
		items.Added = append(items.Added, &inventoryv1.Item{Facts: item.Facts, Readings: item.Readings})
	}
	return update(t, section, nil, root, items)
}

// delta makes an update from a set of a section to the machine's current items.
func (s *stream) delta(t testing.TB, section string, from wire.Set) *inventoryv1.Update {
	t.Helper()
	set, root := s.set(t, section)
	items, before, after := &inventoryv1.Items{}, hashes(from), hashes(set)
	for _, item := range set.Items() {
		if !before[item.Hash] {
			items.Added = append(items.Added, &inventoryv1.Item{Facts: item.Facts, Readings: item.Readings})
		}
	}
	for _, item := range from.Items() {
		if !after[item.Hash] {
			items.Removed = append(items.Removed, item.Facts)
		}
	}
	base := from.Root()
	return update(t, section, base[:], root, items)
}

// set returns the machine's set of a section.
func (s *stream) set(t testing.TB, section string) (wire.Set, inventory.Root) {
	t.Helper()
	for _, collected := range s.machine.collect(t.Context()).Sections {
		if collected.Section == section {
			return collected.Set, collected.Root
		}
	}
	t.Fatalf("the machine has no section %s", section)
	return wire.Set{}, inventory.Root{}
}

func hashes(s wire.Set) map[wire.Hash]bool {
	all := map[wire.Hash]bool{}
	for _, item := range s.Items() {
		all[item.Hash] = true
	}
	return all
}

func update(t testing.TB, section string, base []byte, root inventory.Root, items *inventoryv1.Items) *inventoryv1.Update {
	t.Helper()
	raw, err := proto.Marshal(items)
	if err != nil {
		t.Fatal(err)
	}
	packer, err := zstd.NewWriter(nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = packer.Close() }()
	return &inventoryv1.Update{Section: section, BaseRoot: base, Root: root[:], Items: packer.EncodeAll(raw, nil), Last: true}
}

func updateMessage(u *inventoryv1.Update) *inventoryv1.AgentMessage {
	return &inventoryv1.AgentMessage{Kind: &inventoryv1.AgentMessage_Update{Update: u}}
}

func commitMessage() *inventoryv1.AgentMessage {
	return &inventoryv1.AgentMessage{Kind: &inventoryv1.AgentMessage_Commit{Commit: &inventoryv1.Commit{}}}
}
