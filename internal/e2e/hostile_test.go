package e2e

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"net"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/klauspost/compress/zstd"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"

	"github.com/musterhq/muster/agent/link"
	"github.com/musterhq/muster/internal/inventory"
	"github.com/musterhq/muster/internal/pgtest"
	"github.com/musterhq/muster/internal/pki"
	"github.com/musterhq/muster/internal/wire"
	inventoryv1 "github.com/musterhq/muster/proto/muster/inventory/v1"
)

// hostile is a client with a valid certificate that does not behave like an agent.
type hostile struct {
	address    string
	number     int
	connection *grpc.ClientConn

	mu       sync.Mutex
	attempts int
	answers  map[string]int // what the collector answered, by code
}

type hostileStream = grpc.BidiStreamingClient[inventoryv1.AgentMessage, inventoryv1.CollectorMessage]

// attack is one attempt. It returns the collector's answer.
type attack func(ctx context.Context, h *hostile) error

// attacks are what the hostile clients do, over and over.
func attacks() map[string]attack {
	return map[string]attack{
		"catalog flood":     floodCatalog,
		"expensive first":   sendExpensive,
		"budget monopoly":   holdBudget,
		"empty items":       sendEmptyItems,
		"unread answers":    readNothing,
		"silent streams":    saySilence,
		"half-open":         connectOnly,
		"5 MiB messages":    sendLargeMessage,
		"compressed bombs":  sendBomb,
		"check-ins at once": checkInAtOnce,
	}
}

// attemptTimeout bounds one attempt, so that each attack has several.
const attemptTimeout = 5 * time.Second

// TestHostileClients runs ten hostile clients beside three agents and a client of the REST API. The
// agents' data are right, everybody is served, and the collector neither ends nor grows without
// bound. With -v it prints a table.
func TestHostileClients(t *testing.T) {
	t.Parallel()
	c := newCollector(t, pgtest.New(t))
	machines, agents := make([]*machine, 3), make([]*agent, 3)
	for i := range agents {
		machines[i] = newMachine(uint64(700+i), fmt.Sprintf("HONEST%d", i))
		agents[i] = enroll(t, c, c.agents, machines[i])
		agents[i].mustSync(t)
	}
	quiet := serve(t, c, agents, machines)
	clients := map[string]*hostile{}
	for name := range attacks() {
		clients[name] = newHostile(t, c, len(clients))
	}
	ctx, stop := context.WithCancel(t.Context())
	var running sync.WaitGroup
	for name, do := range attacks() {
		running.Go(func() { clients[name].repeat(ctx, do) })
	}
	eventually(t, "every attack", func() bool {
		return !slices.ContainsFunc(slices.Collect(maps.Values(clients)), func(h *hostile) bool { return h.tries() == 0 })
	})
	attacked := serve(t, c, agents, machines)
	stop()
	running.Wait()
	for i, a := range agents {
		checkEqual(t, c, a, machines[i])
	}
	t.Logf("%-20s %8s %s", "attack", "attempts", "answers")
	for name, h := range clients {
		t.Logf("%-20s %8d %v", name, h.attempts, h.answers)
	}
	t.Logf("agents and API: quiet %v, attacked %v", quiet, attacked)
	peak := peakMemory(t, c)
	t.Logf("peak memory of the collector: %d MiB", peak>>20)
	if peak > maxAttackedMemory {
		t.Errorf("the collector occupied %d MiB, want at most %d", peak>>20, maxAttackedMemory>>20)
	}
}

// maxAttackedMemory is below what one attack of empty items took before memory was accounted.
const maxAttackedMemory = 1200 << 20

// served has what a request took, at most and in the median.
type served struct{ sync, api durations }

type durations []time.Duration

func (d durations) String() string {
	slices.Sort(d)
	return fmt.Sprintf("median %v, longest %v", d[len(d)/2].Round(time.Millisecond), d[len(d)-1].Round(time.Millisecond))
}

func (s served) String() string { return fmt.Sprintf("check-in %v; API %v", s.sync, s.api) }

// serve has each agent report changes, and reads the devices over the API beside them. Everything
// must succeed.
func serve(t *testing.T, c *collector, agents []*agent, machines []*machine) (s served) {
	t.Helper()
	const rounds = 8
	client := &http.Client{Timeout: waitLimit}
	for range rounds {
		for i, a := range agents {
			machines[i].change()
			began := time.Now()
			if _, err := a.Sync(t.Context()); err != nil {
				t.Errorf("agent %d: %v", i, link.Explain(err))
			}
			s.sync = append(s.sync, time.Since(began))
		}
		began := time.Now()
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, c.base+"/api/v1/devices", nil)
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set("Authorization", "Bearer "+c.token)
		response, err := client.Do(request)
		if err != nil {
			t.Errorf("API: %v", err)
			continue
		}
		_ = response.Body.Close()
		if response.StatusCode != http.StatusOK {
			t.Errorf("API: got status %d", response.StatusCode)
		}
		s.api = append(s.api, time.Since(began))
	}
	return s
}

// peakMemory returns the most memory that the collector occupied, 0 where that is not known.
func peakMemory(t *testing.T, c *collector) int64 {
	t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", c.cmd.Process.Pid))
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(text)) {
		var kilobytes int64
		if _, err := fmt.Sscanf(line, "VmHWM: %d kB", &kilobytes); err == nil {
			return kilobytes << 10
		}
	}
	return 0
}

func newHostile(t *testing.T, c *collector, number int) *hostile {
	t.Helper()
	identity := identityOf(t, enroll(t, c, c.agents, newMachine(uint64(800+number), fmt.Sprintf("HOSTILE%d", number))))
	config, err := pki.ClientTLS(identity.Authorities, identity.TLS(), time.Now)
	if err != nil {
		t.Fatal(err)
	}
	connection, err := grpc.NewClient("dns:///"+c.agents, grpc.WithTransportCredentials(credentials.NewTLS(config)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = connection.Close() })
	return &hostile{address: c.agents, number: number, connection: connection, answers: map[string]int{}}
}

func (h *hostile) repeat(ctx context.Context, do attack) {
	for ctx.Err() == nil {
		limited, cancel := context.WithTimeout(ctx, attemptTimeout)
		err := do(limited, h)
		cancel()
		h.mu.Lock()
		h.attempts++
		h.answers[status.Code(err).String()]++
		h.mu.Unlock()
	}
}

func (h *hostile) tries() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.attempts
}

func (h *hostile) stream(ctx context.Context) (hostileStream, error) {
	return inventoryv1.NewInventoryClient(h.connection).Sync(ctx)
}

// offer opens a stream and offers a section with a root, so that the collector asks for it.
func (h *hostile) offer(ctx context.Context, root inventory.Root) (hostileStream, error) {
	stream, err := h.stream(ctx)
	if err != nil {
		return nil, err
	}
	if err := stream.Send(h.checkIn(root)); err != nil {
		return stream, err
	}
	_, err = stream.Recv()
	return stream, err
}

func (h *hostile) checkIn(root inventory.Root) *inventoryv1.AgentMessage {
	summary := wire.Summary{Section: "software", Status: inventory.StatusOK, Root: root}
	all := wire.InventoryRoot([]wire.Summary{summary})
	return &inventoryv1.AgentMessage{Kind: &inventoryv1.AgentMessage_CheckIn{CheckIn: &inventoryv1.CheckIn{
		Hello:         &inventoryv1.Hello{AgentVersion: "1.2.3", BootId: "boot"},
		InventoryRoot: all[:],
		Sections: []*inventoryv1.Summary{{
			Section: "software", Status: wire.StatusTo(inventory.StatusOK), Root: root[:],
		}},
	}}}
}

// madeUp returns new items and their root.
func (h *hostile) madeUp(n int) (*inventoryv1.Items, inventory.Root, error) {
	items, root := &inventoryv1.Items{}, inventory.Root{}
	for i := range n {
		raw, err := proto.Marshal(&inventoryv1.Software{
			Source: "dpkg", Name: fmt.Sprintf("hostile-%d-%d-%d", h.number, h.tries(), i), Version: "1",
		})
		if err != nil {
			return nil, root, err
		}
		items.Added = append(items.Added, &inventoryv1.Item{Facts: raw})
		root = wire.HashOf(raw).AddTo(root)
	}
	return items, root, nil
}

// send sends items of a section in chunks, commits and reads the answer.
func (h *hostile) send(ctx context.Context, n int) error {
	items, root, err := h.madeUp(n)
	if err != nil {
		return err
	}
	stream, err := h.offer(ctx, root)
	if err != nil {
		return err
	}
	for chunk := range slices.Chunk(items.GetAdded(), 5000) {
		raw, err := proto.Marshal(&inventoryv1.Items{Added: chunk})
		if err != nil {
			return err
		}
		last := chunk[len(chunk)-1] == items.GetAdded()[n-1]
		if err := stream.Send(chunkOf(raw, root, last)); err != nil {
			break // the answer says why
		}
	}
	_ = stream.Send(commitMessage())
	_, err = stream.Recv()
	return err
}

func chunkOf(raw []byte, root inventory.Root, last bool) *inventoryv1.AgentMessage {
	packer, err := zstd.NewWriter(nil)
	if err != nil {
		panic(err) // it has no options
	}
	defer func() { _ = packer.Close() }()
	return updateMessage(&inventoryv1.Update{
		Section: "software", Root: root[:], Items: packer.EncodeAll(raw, nil), Last: last,
	})
}

func floodCatalog(ctx context.Context, h *hostile) error  { return h.send(ctx, 2000) }
func sendExpensive(ctx context.Context, h *hostile) error { return h.send(ctx, 20_000) }

// holdBudget sends what the collector asked for until it is refused, and never commits.
func holdBudget(ctx context.Context, h *hostile) error {
	stream, err := h.offer(ctx, inventory.Root{1})
	if err != nil {
		return err
	}
	chunk := chunkOf(protowire.AppendBytes(protowire.AppendTag(nil, 1, protowire.BytesType), make([]byte, 1<<19)),
		inventory.Root{1}, false)
	for stream.Send(chunk) == nil {
	}
	_, err = stream.Recv()
	return err
}

// sendEmptyItems sends a few hundred bytes that unpack to very many items without content.
func sendEmptyItems(ctx context.Context, h *hostile) error {
	stream, err := h.offer(ctx, inventory.Root{2})
	if err != nil {
		return err
	}
	empty := chunkOf(bytes.Repeat([]byte{1<<3 | byte(protowire.BytesType), 0}, 190_000), inventory.Root{2}, true)
	_ = stream.Send(empty)
	_ = stream.Send(commitMessage())
	_, err = stream.Recv()
	return err
}

// readNothing checks in without reading the answers.
func readNothing(ctx context.Context, h *hostile) error {
	stream, err := h.stream(ctx)
	if err != nil {
		return err
	}
	for stream.Send(h.checkIn(inventory.Root{3})) == nil {
	}
	<-ctx.Done()
	return ctx.Err()
}

// saySilence opens streams and sends nothing.
func saySilence(ctx context.Context, h *hostile) error {
	for range 8 {
		if _, err := h.stream(ctx); err != nil {
			return err
		}
	}
	<-ctx.Done()
	return ctx.Err()
}

// connectOnly opens connections without a handshake.
func connectOnly(ctx context.Context, h *hostile) error {
	for range 200 {
		connection, err := (&net.Dialer{}).DialContext(ctx, "tcp", h.address)
		if err != nil {
			return err
		}
		defer func() { _ = connection.Close() }()
	}
	<-ctx.Done()
	return ctx.Err()
}

func sendLargeMessage(ctx context.Context, h *hostile) error {
	stream, err := h.offer(ctx, inventory.Root{4})
	if err != nil {
		return err
	}
	root := inventory.Root{4}
	_ = stream.Send(updateMessage(&inventoryv1.Update{Section: "software", Root: root[:], Items: make([]byte, 5<<20)}))
	_, err = stream.Recv()
	return err
}

// sendBomb sends a few kilobytes that unpack to 64 MiB.
func sendBomb(ctx context.Context, h *hostile) error {
	stream, err := h.offer(ctx, inventory.Root{5})
	if err != nil {
		return err
	}
	var packed bytes.Buffer
	packer, err := zstd.NewWriter(&packed)
	if err != nil {
		return err
	}
	zeros := make([]byte, 1<<20)
	for range 64 {
		if _, err := packer.Write(zeros); err != nil {
			return err
		}
	}
	if err := packer.Close(); err != nil {
		return err
	}
	root := inventory.Root{5}
	_ = stream.Send(updateMessage(&inventoryv1.Update{Section: "software", Root: root[:], Items: packed.Bytes(), Last: true}))
	_, err = stream.Recv()
	return err
}

// checkInAtOnce checks in with an empty inventory as fast as the collector answers.
func checkInAtOnce(ctx context.Context, h *hostile) error {
	stream, err := h.stream(ctx)
	if err != nil {
		return err
	}
	nothing := wire.InventoryRoot(nil)
	for {
		err := stream.Send(&inventoryv1.AgentMessage{Kind: &inventoryv1.AgentMessage_CheckIn{CheckIn: &inventoryv1.CheckIn{
			Hello: &inventoryv1.Hello{AgentVersion: "1.2.3", BootId: "boot"}, InventoryRoot: nothing[:],
		}}})
		if err == nil {
			_, err = stream.Recv()
		}
		if err != nil {
			return err
		}
	}
}
