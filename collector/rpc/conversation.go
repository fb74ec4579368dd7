package rpc

import (
	"context"
	"errors"
	"io"
	"sync"
	"time"

	"github.com/google/uuid"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/musterhq/muster/internal/inventory"
	inventoryv1 "github.com/musterhq/muster/proto/muster/inventory/v1"
)

// The clocks of a conversation.
const (
	// progressTimeout is how long an agent that is sending may pause between two messages.
	progressTimeout = time.Minute
	// tokenAge is after how long the ratchet moves on although nothing changed.
	tokenAge = 24 * time.Hour
)

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
