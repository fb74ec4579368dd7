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

// Time limits of a conversation.
const (
	// progressTimeout is the longest pause between two messages of an inventory.
	progressTimeout = time.Minute
	// tokenAge is the age at which the ratchet token is replaced although nothing changed.
	tokenAge = 24 * time.Hour
)

var (
	errReplaced = status.Error(codes.Aborted, "this agent opened another stream")
	errDraining = status.Error(codes.Unavailable, "the collector is stopping")
	errSlow     = status.Error(codes.DeadlineExceeded, "no message for a minute in the middle of an inventory")
	errUnended  = invalid("an update or a commit without a request for it")
)

// conversation is the stream of one agent.
type conversation struct {
	server *Server
	stream inventoryv1.Inventory_SyncServer
	ctx    context.Context //nolint:containedctx // the conversation lives as long as its stream
	cancel context.CancelCauseFunc
	id     uuid.UUID
	record inventory.Record
	hello  *inventoryv1.Hello

	seen   inventory.Presence // at the last check-in
	inbox  chan *inventoryv1.AgentMessage
	broken chan error // the error that ended the stream

	sending sync.Mutex // protects stream.Send: a probe sends from another goroutine
	mu      sync.Mutex
	checked chan struct{} // closed at the next check-in, protected by mu
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
		inbox: make(chan *inventoryv1.AgentMessage), broken: make(chan error, 1), checked: make(chan struct{}),
	}
	s.live.opened(record.ID, c)
	defer s.live.closed(record.ID, c)
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

// leave records that the record has no conversation any more, unless a newer one replaced this one.
func (c *conversation) leave() {
	if c.server.live.leave(c.record.ID, c) {
		c.server.presence.left(c.seen)
	}
}

// listen forwards messages to the inbox until the stream or the conversation ends.
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

// next waits for the agent's next message, at most timeout; 0 means no limit.
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
	return c.send(&inventoryv1.CollectorMessage{
		Kind: &inventoryv1.CollectorMessage_CollectNow{CollectNow: &inventoryv1.CollectNow{}},
	})
}

// nextCheckIn returns a channel that is closed at the agent's next check-in.
func (c *conversation) nextCheckIn() <-chan struct{} {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.checked
}

func (c *conversation) noteCheckIn() {
	c.mu.Lock()
	defer c.mu.Unlock()
	close(c.checked)
	c.checked = make(chan struct{})
}
