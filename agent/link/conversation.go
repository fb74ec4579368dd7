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
	// maxSilence is how long a collector may think about an answer.
	maxSilence = 5 * time.Minute
	// frameSize is what gRPC puts before a message, in bytes.
	frameSize = 5
)

// conversation is one stream with a collector.
type conversation struct {
	done    <-chan struct{} // closed when the conversation is over, by whoever opened it
	stream  grpc.BidiStreamingClient[inventoryv1.AgentMessage, inventoryv1.CollectorMessage]
	inbox   chan heard
	state   *state.State
	hello   *inventoryv1.Hello // nil once said
	now     func() time.Time
	sent    int // bytes
	arrived int // bytes
}

// heard is what the stream gave: a message or its end.
type heard struct {
	message *inventoryv1.CollectorMessage
	err     error
}

// converse opens a stream. It ends with ctx, which the caller has to end.
func (a *Agent) converse(ctx context.Context, connection *grpc.ClientConn) (*conversation, error) {
	stream, err := inventoryv1.NewInventoryClient(connection).Sync(ctx)
	if err != nil {
		return nil, err
	}
	c := &conversation{
		done: ctx.Done(), stream: stream, inbox: make(chan heard), state: a.State, now: a.now,
		hello: &inventoryv1.Hello{AgentVersion: a.Version, BootId: a.BootID},
	}
	go c.listen()
	return c, nil
}

// listen hands on what the collector says until the stream ends or the conversation is over.
func (c *conversation) listen() {
	for {
		message, err := c.stream.Recv()
		select {
		case c.inbox <- heard{message, err}:
		case <-c.done:
			return
		}
		if err != nil {
			return
		}
	}
}

// send says one thing. Where the stream has ended, the reason comes out of the inbox.
func (c *conversation) send(message *inventoryv1.AgentMessage) error {
	err := c.stream.Send(message)
	if err == nil {
		c.sent += proto.Size(message) + frameSize
		return nil
	}
	if !errors.Is(err, io.EOF) {
		return err
	}
	for range maxMessages { // what the collector said before it ended the stream
		if _, err = c.next(); err != nil {
			return err
		}
	}
	return errors.New("the collector does not listen")
}

// next waits for the collector to say something.
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
		return nil, fmt.Errorf("the collector said nothing for %v", maxSilence)
	case <-c.done:
		return nil, context.Canceled
	}
}

func ended(err error) error {
	if errors.Is(err, io.EOF) {
		return errors.New("the collector ended the conversation")
	}
	return err
}

// idle waits until the next check-in is due, or the collector asks for one. It gives an error where the conversation
// is over.
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
		return unasked(h.message)
	case <-c.done:
		return context.Canceled
	}
}

// unasked says what to make of a message between two check-ins; nil is to check in now.
func unasked(message *inventoryv1.CollectorMessage) error {
	switch kind := message.GetKind().(type) {
	case *inventoryv1.CollectorMessage_CollectNow:
		return nil
	case *inventoryv1.CollectorMessage_Rekey:
		return &rekeyError{kind.Rekey.GetReason()}
	default:
		return errors.New("the collector says out of turn what this agent does not know")
	}
}
