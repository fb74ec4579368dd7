package link

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"

	"github.com/musterhq/muster/agent/state"
	inventoryv1 "github.com/musterhq/muster/proto/muster/inventory/v1"
)

const (
	// maxSilence is how long the agent waits for a message of the collector.
	maxSilence = 5 * time.Minute
	// frameSize is the size of the gRPC frame header of a message, in bytes.
	frameSize = 5
)

// conversation is one Sync stream to a collector.
type conversation struct {
	done    <-chan struct{} // closed by the caller of converse when the stream is no longer needed
	stream  grpc.BidiStreamingClient[inventoryv1.AgentMessage, inventoryv1.CollectorMessage]
	inbox   chan received
	state   *state.State
	hello   *inventoryv1.Hello // nil once sent
	now     func() time.Time
	sent    int // bytes
	arrived int // bytes
}

// received is a message from the stream, or the error that ended it.
type received struct {
	message *inventoryv1.CollectorMessage
	err     error
}

// converse opens a stream. The stream ends with ctx, which the caller must cancel.
func (a *Agent) converse(ctx context.Context, connection *grpc.ClientConn) (*conversation, error) {
	stream, err := inventoryv1.NewInventoryClient(connection).Sync(ctx)
	if err != nil {
		return nil, err
	}
	c := &conversation{
		done: ctx.Done(), stream: stream, inbox: make(chan received), state: a.State, now: a.now,
		hello: &inventoryv1.Hello{AgentVersion: a.Version, BootId: a.BootID},
	}
	go c.listen()
	return c, nil
}

// listen forwards messages to the inbox until the stream or the conversation ends.
func (c *conversation) listen() {
	for {
		message, err := c.stream.Recv()
		select {
		case c.inbox <- received{message, err}:
		case <-c.done:
			return
		}
		if err != nil {
			return
		}
	}
}

// send sends a message. If the stream has ended, it returns the reason, which arrives through the
// inbox.
func (c *conversation) send(message *inventoryv1.AgentMessage) error {
	err := c.stream.Send(message)
	if err == nil {
		c.sent += proto.Size(message) + frameSize
		return nil
	}
	if !errors.Is(err, io.EOF) {
		return err
	}
	for range maxMessages { // messages that arrived before the end of the stream
		if _, err = c.next(); err != nil {
			return err
		}
	}
	return errors.New("the collector closed the stream without a reason")
}

// next waits for the next message of the collector, at most maxSilence.
func (c *conversation) next() (*inventoryv1.CollectorMessage, error) {
	silence := time.NewTimer(maxSilence)
	defer silence.Stop()
	select {
	case h := <-c.inbox:
		if h.err != nil {
			return nil, ended(h.err)
		}
		c.arrived += proto.Size(h.message) + frameSize
		return h.message, nil
	case <-silence.C:
		return nil, fmt.Errorf("the collector sent no message for %v", maxSilence)
	case <-c.done:
		return nil, context.Canceled
	}
}

func ended(err error) error {
	if errors.Is(err, io.EOF) {
		return errors.New("the collector closed the connection")
	}
	return err
}

// idle waits until the next check-in is due or the collector asks for one. It returns an error if
// the stream has ended.
func (c *conversation) idle(wait time.Duration) error {
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case h := <-c.inbox:
		if h.err != nil {
			return ended(h.err)
		}
		return unsolicited(h.message)
	case <-c.done:
		return context.Canceled
	}
}

// unsolicited handles a message between two check-ins. It returns nil if the agent must check in
// now.
func unsolicited(message *inventoryv1.CollectorMessage) error {
	switch kind := message.GetKind().(type) {
	case *inventoryv1.CollectorMessage_CollectNow:
		return nil
	case *inventoryv1.CollectorMessage_Rekey:
		return &rekeyError{kind.Rekey.GetReason()}
	default:
		return errors.New("the collector sent an unexpected message between two check-ins")
	}
}
