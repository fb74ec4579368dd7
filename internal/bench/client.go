package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"time"

	"github.com/klauspost/compress/zstd"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/protobuf/proto"

	"github.com/musterhq/muster/internal/inventory"
	"github.com/musterhq/muster/internal/pki"
	"github.com/musterhq/muster/internal/wire"
	inventoryv1 "github.com/musterhq/muster/proto/muster/inventory/v1"
)

// client is a machine of the fleet on the wire. It keeps the roots of its sections, not the items.
type client struct {
	machine   int
	wave      int
	tls       *tls.Config // with its certificate, once enrolled
	summaries []wire.Summary
	token     []byte

	connection *grpc.ClientConn
	stream     grpc.BidiStreamingClient[inventoryv1.AgentMessage, inventoryv1.CollectorMessage]
	greeted    bool
	cancel     context.CancelFunc
}

// ioBuffer is the agent's buffer size.
const ioBuffer = 4 << 10

// dial connects as the agent does.
func dial(address string, config *tls.Config) (*grpc.ClientConn, error) {
	return grpc.NewClient("passthrough:///"+address,
		grpc.WithTransportCredentials(credentials.NewTLS(config)),
		grpc.WithReadBufferSize(ioBuffer), grpc.WithWriteBufferSize(ioBuffer),
		grpc.WithDisableServiceConfig(), grpc.WithDisableRetry(), grpc.WithNoProxy(),
	)
}

// enroll generates a key and obtains its certificate.
func (c *client) enroll(ctx context.Context, at *collector) error {
	config, err := pki.PinnedTLS(at.pin, time.Now)
	if err != nil {
		return err
	}
	connection, err := dial(at.grpcAddr, config)
	if err != nil {
		return err
	}
	defer func() { _ = connection.Close() }()
	key, err := pki.NewKey()
	if err != nil {
		return err
	}
	csr, err := pki.NewCSR(key)
	if err != nil {
		return err
	}
	answer, err := inventoryv1.NewEnrollmentClient(connection).Enroll(ctx, &inventoryv1.EnrollRequest{
		Token: at.token, Csr: csr,
	})
	if err != nil {
		return fmt.Errorf("enroll machine %d: %w", c.machine, err)
	}
	certificate := &tls.Certificate{Certificate: [][]byte{answer.GetCertificate()}, PrivateKey: key}
	c.tls, err = pki.ClientTLS(answer.GetAuthorities(), certificate, time.Now)
	return err
}

// handshake connects, waits for the first byte of HTTP/2, which proves that the collector has
// verified the certificate, and disconnects.
func (c *client) handshake(ctx context.Context, address string) error {
	config := c.tls.Clone()
	config.NextProtos = []string{"h2"}
	connection, err := (&tls.Dialer{Config: config}).DialContext(ctx, "tcp", address)
	if err != nil {
		return fmt.Errorf("connect machine %d: %w", c.machine, err)
	}
	_, err = connection.Read(make([]byte, 1))
	return errors.Join(err, connection.Close())
}

// open starts a stream on a new connection. It lasts until close. On a busy machine a connection
// may exceed the timeout of the collector; it is tried again, as by the agent.
func (c *client) open(ctx context.Context, address string) error {
	connection, err := dial(address, c.tls)
	if err != nil {
		return err
	}
	// The stream outlives the phase that opens it.
	lasting, cancel := context.WithCancel(context.WithoutCancel(ctx))
	stop := context.AfterFunc(ctx, cancel)
	defer stop()
	stream, err := inventoryv1.NewInventoryClient(connection).Sync(lasting, grpc.WaitForReady(true))
	if err != nil {
		cancel()
		return errors.Join(fmt.Errorf("connect machine %d: %w", c.machine, err), connection.Close())
	}
	c.connection, c.stream, c.cancel, c.greeted = connection, stream, cancel, false
	return nil
}

func (c *client) close() {
	if c.connection != nil {
		c.cancel()
		_ = c.connection.Close()
		c.connection = nil
	}
}

// checkIn sends the summaries and the changes and waits for the acknowledgment. The end of ctx ends
// the stream.
func (c *client) checkIn(ctx context.Context, changes []change) error {
	stop := context.AfterFunc(ctx, c.cancel)
	defer stop()
	root := wire.InventoryRoot(c.summaries)
	checkIn := &inventoryv1.CheckIn{Token: c.token, InventoryRoot: root[:], ReadingsDue: c.token == nil}
	if !c.greeted {
		checkIn.Hello = &inventoryv1.Hello{AgentVersion: "bench", BootId: "bench", Hardware: identifiers(c.machine)}
		c.greeted = true
	}
	if len(changes) > 0 {
		checkIn.Sections = summariesOf(c.summaries)
	}
	err := c.stream.Send(&inventoryv1.AgentMessage{Kind: &inventoryv1.AgentMessage_CheckIn{CheckIn: checkIn}})
	if err == nil {
		err = c.answer(changes)
	}
	if err != nil {
		return fmt.Errorf("check in machine %d: %w", c.machine, err)
	}
	return nil
}

// answer sends the sections that the collector wants until it acknowledges. The collector must want
// exactly the changed sections.
func (c *client) answer(changes []change) error {
	for {
		message, err := c.stream.Recv()
		if err != nil {
			return err
		}
		if ack := message.GetAck(); ack != nil {
			if len(ack.GetVerdicts()) > 0 {
				return fmt.Errorf("the collector rejected an item: %v", ack.GetVerdicts()[0])
			}
			if len(ack.GetToken()) > 0 {
				c.token = ack.GetToken()
			}
			return nil
		}
		if message.GetWant() == nil || len(message.GetWant().GetSections()) != len(changes) {
			return fmt.Errorf("the collector sent %v; %d sections changed", message, len(changes))
		}
		if err := c.send(changes); err != nil {
			return err
		}
		changes = nil
	}
}

func (c *client) send(changes []change) error {
	packer, err := zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithWindowSize(128<<10),
		zstd.WithEncoderConcurrency(1), zstd.WithLowerEncoderMem(true))
	if err != nil {
		return fmt.Errorf("make zstd encoder: %w", err)
	}
	for _, change := range changes {
		update, err := change.update(packer)
		if err != nil {
			return err
		}
		err = c.stream.Send(&inventoryv1.AgentMessage{Kind: &inventoryv1.AgentMessage_Update{Update: update}})
		if err != nil {
			return err
		}
	}
	commit := &inventoryv1.AgentMessage_Commit{Commit: &inventoryv1.Commit{}}
	return c.stream.Send(&inventoryv1.AgentMessage{Kind: commit})
}

// update encodes a change as one message: no section of the fleet exceeds the size limit.
func (c change) update(packer *zstd.Encoder) (*inventoryv1.Update, error) {
	items := &inventoryv1.Items{Removed: c.removed}
	for _, item := range c.added {
		items.Added = append(items.Added, &inventoryv1.Item{Facts: item.Facts, Readings: item.Readings})
	}
	raw, err := proto.Marshal(items)
	if err != nil {
		return nil, fmt.Errorf("encode items of %s: %w", c.section, err)
	}
	return &inventoryv1.Update{
		Section: c.section, BaseRoot: c.base, Root: c.root[:], Items: packer.EncodeAll(raw, nil), Last: true,
		DurationMs: 1,
	}, nil
}

// hold sets the root of a section.
func (c *client) hold(section string, root inventory.Root) {
	for i := range c.summaries {
		if c.summaries[i].Section == section {
			c.summaries[i].Root = root
			return
		}
	}
	c.summaries = append(c.summaries, wire.Summary{Section: section, Status: inventory.StatusOK, Root: root})
}

func (c *client) rootOf(section string) (root inventory.Root) {
	for _, s := range c.summaries {
		if s.Section == section {
			root = s.Root
		}
	}
	return root
}

func summariesOf(summaries []wire.Summary) []*inventoryv1.Summary {
	list := make([]*inventoryv1.Summary, len(summaries))
	for i, s := range summaries {
		list[i] = &inventoryv1.Summary{Section: s.Section, Status: wire.StatusTo(s.Status), Root: s.Root[:]}
	}
	return list
}
