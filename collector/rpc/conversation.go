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
	// helloTimeout is the longest time until the first check-in.
	helloTimeout = 30 * time.Second
	// progressTimeout is the longest pause between two messages of an inventory.
	progressTimeout = time.Minute
	// holdTimeout is the longest time for all messages of an inventory: 100 kB at 200 bytes per
	// second.
	holdTimeout = 10 * time.Minute
	// sendTimeout is the longest time for the agent to receive a message.
	sendTimeout = 20 * time.Second
	// tokenAge is the age at which the ratchet token is replaced although nothing changed.
	tokenAge = 24 * time.Hour
)

var (
	errReplaced = status.Error(codes.Aborted, "this agent opened another stream")
	errDraining = status.Error(codes.Unavailable, "the collector is stopping")
	errSilent   = status.Error(codes.DeadlineExceeded, "the agent did not send the message that was due")
	errUnread   = status.Error(codes.DeadlineExceeded, "the agent does not read what it is sent")
	errBusy     = status.Error(codes.Unavailable, "the collector is busy with other inventories; try again later")
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
	for limit := helloTimeout; ; limit = maxSilence {
		message, err := c.next(limit)
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
			return c.reasonOf(err)
		}
	}
}

// reasonOf returns why the conversation was ended if that is why a check-in failed: a call of the
// store reports only that its context ended.
func (c *conversation) reasonOf(err error) error {
	if cause := context.Cause(c.ctx); cause != nil && errors.Is(err, context.Canceled) {
		return cause
	}
	return err
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

// next waits for the agent's next message, at most timeout.
func (c *conversation) next(timeout time.Duration) (*inventoryv1.AgentMessage, error) {
	timer := time.NewTimer(timeout)
	defer timer.Stop()
	select {
	case message := <-c.inbox:
		return message, nil
	case err := <-c.broken:
		return nil, err
	case <-c.ctx.Done():
		return nil, context.Cause(c.ctx)
	case <-c.server.draining:
		return nil, errDraining
	case <-timer.C:
		return nil, errSilent
	}
}

// send sends a message. An agent that does not read blocks stream.Send until the stream ends, so
// that another goroutine waits for it.
func (c *conversation) send(message *inventoryv1.CollectorMessage) error {
	sent := make(chan error, 1)
	go func() {
		c.sending.Lock()
		defer c.sending.Unlock()
		sent <- c.stream.Send(message)
	}()
	timer := time.NewTimer(sendTimeout)
	defer timer.Stop()
	select {
	case err := <-sent:
		return err
	case <-timer.C:
		c.cancel(errUnread)
		return errUnread
	case <-c.ctx.Done():
		return context.Cause(c.ctx)
	}
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
