package host

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"net"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/godbus/dbus/v5"
	"github.com/google/go-cmp/cmp"
)

// bus is a message bus with a systemd that answers one question.
type bus struct {
	units  []unitReply
	silent bool // receives the question and never answers
}

// start listens until the end of the test and returns the bus's address.
func (b bus) start(t testing.TB) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "bus")
	listener, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	t.Cleanup(func() {
		_ = listener.Close()
		<-done
	})
	go func() {
		defer close(done)
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			b.serve(conn)
		}
	}()
	return "unix:path=" + path
}

func (b bus) serve(conn net.Conn) {
	defer func() { _ = conn.Close() }()
	in := bufio.NewReader(conn)
	if err := authenticate(in, conn); err != nil {
		return
	}
	for {
		call, err := dbus.DecodeMessage(in)
		if err != nil {
			return
		}
		body := []any{":1.1"} // the reply to Hello: the caller's name
		if call.Headers[dbus.FieldMember].Value() == "ListUnitsByPatterns" {
			body = []any{b.units}
		}
		if b.silent {
			continue
		}
		reply := &dbus.Message{Type: dbus.TypeMethodReply, Body: body, Headers: map[dbus.HeaderField]dbus.Variant{
			dbus.FieldReplySerial: dbus.MakeVariant(call.Serial()),
			dbus.FieldSender:      dbus.MakeVariant("org.freedesktop.DBus"),
			dbus.FieldSignature:   dbus.MakeVariant(dbus.SignatureOf(body...)),
		}}
		if err := reply.EncodeTo(conn, binary.LittleEndian); err != nil {
			return
		}
	}
}

// authenticate accepts every client (D-Bus specification, "Authentication Protocol").
func authenticate(in *bufio.Reader, conn net.Conn) error {
	if _, err := in.ReadByte(); err != nil {
		return err
	}
	for {
		line, err := in.ReadString('\n')
		if err != nil {
			return err
		}
		answer := "OK 0123456789abcdef0123456789abcdef\r\n"
		switch {
		case line == "AUTH\r\n":
			answer = "REJECTED EXTERNAL\r\n"
		case strings.HasPrefix(line, "NEGOTIATE_UNIX_FD"):
			answer = "ERROR\r\n"
		case strings.HasPrefix(line, "BEGIN"):
			return nil
		}
		if _, err := conn.Write([]byte(answer)); err != nil {
			return err
		}
	}
}

func TestSystemdServices(t *testing.T) {
	t.Parallel()
	address := bus{units: []unitReply{
		{Name: "ssh.service", Description: "OpenBSD Secure Shell server", Load: "loaded", Active: "active", Sub: "running", Path: "/a", JobPath: "/"},
		{Name: "fstrim.service", Load: "loaded", Active: "inactive", Sub: "dead", Path: "/b", JobPath: "/"},
	}}.start(t)
	got, err := systemdServices(t.Context(), address)
	if err != nil {
		t.Fatal(err)
	}
	want := []SystemdUnit{{"ssh.service", "active", "running"}, {"fstrim.service", "inactive", "dead"}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("units (-want +got):\n%s", diff)
	}
}

func TestSystemdWithoutAnAnswerIsAbandoned(t *testing.T) {
	t.Parallel()
	address := bus{silent: true}.start(t)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := systemdServices(ctx, address); err == nil {
		t.Error("no error of a bus that says nothing")
	}
}

func TestNoBus(t *testing.T) {
	t.Parallel()
	_, err := systemdServices(t.Context(), "unix:path="+filepath.Join(t.TempDir(), "none"))
	if err == nil || errors.Is(err, ErrUnsupported) {
		t.Errorf("error %v, want one of connecting", err)
	}
}

func BenchmarkSystemdServices(b *testing.B) {
	units := make([]unitReply, 150) // about as many as a desktop has loaded
	for i := range units {
		units[i] = unitReply{Name: "systemd-something.service", Description: "Something of a Length That Is Usual",
			Load: "loaded", Active: "inactive", Sub: "dead", Path: "/org/freedesktop/systemd1/unit/something_2eservice", JobPath: "/"}
	}
	address := bus{units: units}.start(b)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := systemdServices(b.Context(), address); err != nil {
			b.Fatal(err)
		}
	}
}
