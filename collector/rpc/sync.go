package rpc

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"math"
	"sync"
	"time"

	"github.com/google/uuid"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/musterhq/muster/internal/ingest"
	"github.com/musterhq/muster/internal/inventory"
	"github.com/musterhq/muster/internal/wire"
	inventoryv1 "github.com/musterhq/muster/proto/muster/inventory/v1"
)

// The clocks of a conversation.
const (
	// progressTimeout is how long an agent that is sending may pause between two messages.
	progressTimeout = time.Minute
	// tokenAge is after how long the ratchet moves on although nothing changed.
	tokenAge = 24 * time.Hour
)

// maxRounds is how often a section that does not arrive as it was sent is asked for again.
const maxRounds = 3

var (
	errReplaced = status.Error(codes.Aborted, "this agent opened another stream")
	errDraining = status.Error(codes.Unavailable, "the collector is stopping")
	errSlow     = status.Error(codes.DeadlineExceeded, "nothing came for a minute in the middle of an inventory")
	errUnended  = &inventory.Error{Code: inventory.CodeInvalid, Message: "an update or a commit without a question for it"}
)

// conversation is one agent's stream.
type conversation struct {
	server *Server
	stream inventoryv1.Inventory_SyncServer
	ctx    context.Context //nolint:containedctx // the conversation lives as long as its stream
	cancel context.CancelCauseFunc
	id     uuid.UUID
	record inventory.Record
	hello  *inventoryv1.Hello

	lastSeen time.Time
	inbox    chan *inventoryv1.AgentMessage
	broken   chan error // why the stream ended

	sending sync.Mutex // a probe may send beside the conversation itself
	mu      sync.Mutex
	seen    chan struct{} // closed at the next check-in
}

// Sync implements the Inventory service.
func (s *Server) Sync(stream inventoryv1.Inventory_SyncServer) error {
	record, err := s.record(stream.Context())
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancelCause(stream.Context())
	defer cancel(nil)
	c := &conversation{
		server: s, stream: stream, ctx: ctx, cancel: cancel, id: uuid.New(), record: record,
		inbox: make(chan *inventoryv1.AgentMessage), broken: make(chan error, 1), seen: make(chan struct{}),
	}
	defer c.leave()
	go c.listen()
	for {
		message, err := c.next(0)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		checkIn := message.GetCheckIn()
		if checkIn == nil {
			return errUnended
		}
		if err := c.checkIn(checkIn); err != nil {
			return err
		}
	}
}

// leave says that the record is in no conversation any more, unless a newer one took over.
func (c *conversation) leave() {
	if c.server.live.leave(c.record.ID, c) {
		c.server.presence.left(c.record.ID, c.lastSeen)
	}
}

// listen hands on what arrives until the stream or the conversation ends.
func (c *conversation) listen() {
	for {
		message, err := c.stream.Recv()
		if err != nil {
			c.broken <- err
			return
		}
		select {
		case c.inbox <- message:
		case <-c.ctx.Done():
			return
		}
	}
}

// next waits for the agent's next message, for at most timeout; 0 waits for ever.
func (c *conversation) next(timeout time.Duration) (*inventoryv1.AgentMessage, error) {
	var slow <-chan time.Time
	if timeout > 0 {
		timer := time.NewTimer(timeout)
		defer timer.Stop()
		slow = timer.C
	}
	select {
	case message := <-c.inbox:
		return message, nil
	case err := <-c.broken:
		return nil, err
	case <-c.ctx.Done():
		return nil, context.Cause(c.ctx)
	case <-c.server.draining:
		return nil, errDraining
	case <-slow:
		return nil, errSlow
	}
}

func (c *conversation) send(message *inventoryv1.CollectorMessage) error {
	c.sending.Lock()
	defer c.sending.Unlock()
	return c.stream.Send(message)
}

func (c *conversation) sendCollectNow() error {
	return c.send(&inventoryv1.CollectorMessage{Kind: &inventoryv1.CollectorMessage_CollectNow{CollectNow: &inventoryv1.CollectNow{}}})
}

// nextCheckIn gives a channel that is closed when the agent checks in next.
func (c *conversation) nextCheckIn() <-chan struct{} {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.seen
}

func (c *conversation) noteCheckIn() {
	c.mu.Lock()
	defer c.mu.Unlock()
	close(c.seen)
	c.seen = make(chan struct{})
}

// checkIn answers one check-in, with everything that follows from it.
func (c *conversation) checkIn(said *inventoryv1.CheckIn) error {
	c.noteCheckIn()
	if said.GetHello() != nil {
		c.hello = said.GetHello()
	}
	if c.hello == nil || len(said.GetInventoryRoot()) != len(inventory.Root{}) {
		return invalid("a check-in needs a root, and a stream's first one a hello")
	}
	incident, clone, err := c.examine(said)
	if err != nil {
		return err
	}
	if clone {
		return c.tellClone(incident)
	}
	c.server.live.enter(c.record.ID, c)
	c.lastSeen = time.Now()
	c.server.presence.note(c.record.ID, c.lastSeen, c.id)

	if c.nothingToDo(said, incident) {
		return c.ack(c.tokenFor(said), nil, false)
	}
	return c.take(said, incident)
}

// heldRoot is the form in which the root of an inventory is held: together with what this program knows of
// sections, so that a newer collector looks again at what an older one could not take.
func heldRoot(root []byte) inventory.Root {
	fingerprint := wire.Fingerprint()
	return sha256.Sum256(append(fingerprint[:], root...))
}

func (c *conversation) nothingToDo(said *inventoryv1.CheckIn, incident *inventory.Incident) bool {
	return incident == nil && !said.GetReadingsDue() && c.record.CI != "" &&
		heldRoot(said.GetInventoryRoot()) == c.record.Root && time.Since(c.record.TokenAt) < tokenAge
}

// tokenFor gives the current token to an agent that missed the Ack it came with.
func (c *conversation) tokenFor(said *inventoryv1.CheckIn) []byte {
	if bytes.Equal(said.GetToken(), c.record.Token) {
		return nil
	}
	return c.record.Token
}

// take asks for what is missing and commits it. Another conversation of the same record may have been faster:
// the record is read again and the question asked anew.
func (c *conversation) take(said *inventoryv1.CheckIn, incident *inventory.Incident) error {
	summaries, err := c.summaries(said)
	if err != nil {
		return err
	}
	states, err := c.server.options.Store.SectionStates(c.ctx, c.record.ID)
	if err != nil {
		return err
	}
	obs := &ingest.Observation{
		Record: c.record, States: states, Summaries: summaries, Root: heldRoot(said.GetInventoryRoot()),
		Token: newToken(), Previous: keepable(said.GetToken()), Incident: incident,
		BootID: c.hello.GetBootId(), Agent: c.hello.GetAgentVersion(), Hardware: hardwareOf(c.hello),
	}
	result, err := c.gather(obs, wanted(summaries, states, said.GetReadingsDue()))
	if err != nil {
		return err
	}
	if c.record, err = c.server.options.Store.RecordByID(c.ctx, c.record.ID); err != nil {
		return err
	}
	return c.ack(obs.Token, result.Verdicts, said.GetReadingsDue())
}

// summaries gives what the agent says of each section that this collector knows, asking for it if need be.
func (c *conversation) summaries(said *inventoryv1.CheckIn) ([]wire.Summary, error) {
	if len(said.GetSections()) == 0 {
		if err := c.send(want(&inventoryv1.Want{Summaries: true})); err != nil {
			return nil, err
		}
		message, err := c.next(progressTimeout)
		if err != nil {
			return nil, err
		}
		again := message.GetCheckIn()
		if again == nil || len(again.GetSections()) == 0 {
			return nil, invalid("asked for summaries, got none")
		}
		said.Sections, said.InventoryRoot = again.GetSections(), again.GetInventoryRoot()
	}
	return readSummaries(said)
}

func readSummaries(said *inventoryv1.CheckIn) ([]wire.Summary, error) {
	all := make([]wire.Summary, 0, len(said.GetSections()))
	var known []wire.Summary
	seen := map[string]bool{}
	for _, s := range said.GetSections() {
		summary := wire.Summary{Section: s.GetSection(), Status: wire.StatusFrom(s.GetStatus()), Message: s.GetMessage()}
		if copy(summary.Root[:], s.GetRoot()); summary.Status.Collected() && len(s.GetRoot()) != len(summary.Root) {
			return nil, invalid("section " + summary.Section + " has no root")
		}
		if seen[summary.Section] {
			return nil, invalid("section " + summary.Section + " is summarized twice")
		}
		seen[summary.Section] = true
		all = append(all, summary)
		if _, ok := wire.Lookup(summary.Section); ok {
			summary.Message = ingest.Text(summary.Message)
			known = append(known, summary)
		}
	}
	if root := wire.InventoryRoot(all); !bytes.Equal(root[:], said.GetInventoryRoot()) {
		return nil, invalid("the root is not that of the summaries")
	}
	return known, nil
}

// wanted lists what the collector does not hold.
func wanted(summaries []wire.Summary, states map[string]inventory.SectionState, readings bool) *inventoryv1.Want {
	ask := &inventoryv1.Want{Readings: readings}
	for _, summary := range summaries {
		state := states[summary.Section]
		switch {
		case !summary.Status.Collected():
		case !state.Collected:
			ask.Sections = append(ask.Sections, &inventoryv1.WantSection{Section: summary.Section})
		case summary.Status.Complete() && state.Superset:
			// What a partial section left standing can go now, or be confirmed: only the whole section says which.
			ask.Sections = append(ask.Sections, &inventoryv1.WantSection{Section: summary.Section})
		case state.Root != summary.Root:
			ask.Sections = append(ask.Sections, &inventoryv1.WantSection{Section: summary.Section, BaseRoot: state.Root[:]})
		}
	}
	return ask
}

func want(w *inventoryv1.Want) *inventoryv1.CollectorMessage {
	return &inventoryv1.CollectorMessage{Kind: &inventoryv1.CollectorMessage_Want{Want: w}}
}

// gather asks, collects the answers and applies them. A section that does not fit is asked for whole; the others
// need not be sent again.
func (c *conversation) gather(obs *ingest.Observation, ask *inventoryv1.Want) (ingest.Result, error) {
	got := &harvest{updates: map[string]*ingest.Update{}}
	defer func() { c.server.inFlight.Release(got.held) }()
	for range maxRounds {
		if len(ask.GetSections()) > 0 || ask.GetReadings() {
			if err := c.send(want(ask)); err != nil {
				return ingest.Result{}, err
			}
			if err := c.harvest(got, ask); err != nil {
				return ingest.Result{}, err
			}
		}
		obs.Updates = got.list()
		result, err := c.server.options.Ingester.Apply(c.ctx, obs)
		var mismatch *ingest.MismatchError
		if !errors.As(err, &mismatch) {
			return result, err
		}
		delete(got.updates, mismatch.Section)
		ask = &inventoryv1.Want{Sections: []*inventoryv1.WantSection{{Section: mismatch.Section}}}
	}
	return ingest.Result{}, &inventory.Error{
		Code:    inventory.CodeConflict,
		Message: fmt.Sprintf("after %d attempts a section still is not what its root says", maxRounds),
	}
}

// ack ends a check-in.
func (c *conversation) ack(token []byte, verdicts []inventory.Verdict, readings bool) error {
	ack := &inventoryv1.Ack{
		Token:              token,
		NextCheckInSeconds: uint32(math.Ceil(c.server.pace.next(c.record.AgentID, time.Now()).Seconds())), // 0 would say nothing
		ReadingsAccepted:   readings,
	}
	for _, v := range verdicts {
		ack.Verdicts = append(ack.Verdicts, &inventoryv1.Verdict{Section: v.Section, Item: v.Item, Outcome: v.Outcome, Reason: v.Reason})
	}
	return c.send(&inventoryv1.CollectorMessage{Kind: &inventoryv1.CollectorMessage_Ack{Ack: ack}})
}

func hardwareOf(hello *inventoryv1.Hello) map[string]uint64 {
	hardware := make(map[string]uint64, len(hello.GetHardware()))
	for _, h := range hello.GetHardware() {
		if len(hardware) < maxFamilies {
			hardware[ingest.Text(h.GetFamily())] = h.GetHash()
		}
	}
	return hardware
}

// maxFamilies bounds what an agent may say of its hardware; there are four families.
const maxFamilies = 16
