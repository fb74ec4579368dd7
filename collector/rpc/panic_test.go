package rpc

import (
	"bytes"
	"crypto/tls"
	"log/slog"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/status"

	"github.com/musterhq/muster/internal/pki"
	inventoryv1 "github.com/musterhq/muster/proto/muster/inventory/v1"
)

// lines is a log that several goroutines write.
type lines struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *lines) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(b)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// TestPanicInACall: a panic in a handler ends that call with an error without internals. The log
// has the cause, and the server goes on.
func TestPanicInACall(t *testing.T) {
	t.Parallel()
	authority, err := pki.NewAuthority(time.Now())
	if err != nil {
		t.Fatal(err)
	}
	log := &lines{}
	// Every method of the store panics, because there is none.
	s, err := New(Options{Authority: authority, Store: struct{ Store }{}, Logger: slog.New(slog.NewTextHandler(log, nil))})
	if err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go func() { _ = s.Serve(listener) }()
	t.Cleanup(func() { s.Stop(0) })

	key, err := pki.NewKey()
	if err != nil {
		t.Fatal(err)
	}
	der, err := authority.IssueAgent(&key.PublicKey, "agent", time.Now(), time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	certificate := tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
	config, err := pki.ClientTLS([][]byte{authority.Certificate()}, &certificate, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	connection, err := grpc.NewClient(listener.Addr().String(), grpc.WithTransportCredentials(credentials.NewTLS(config)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = connection.Close() })
	for range 3 {
		stream, err := inventoryv1.NewInventoryClient(connection).Sync(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		_, err = stream.Recv()
		if status.Code(err) != codes.Internal || strings.Contains(err.Error(), "nil pointer") {
			t.Errorf("got %v, want an internal error without its cause", err)
		}
	}
	if !strings.Contains(log.String(), "panic in call") || !strings.Contains(log.String(), "nil pointer") {
		t.Errorf("the log does not have the cause: %s", log)
	}
}
