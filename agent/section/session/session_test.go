package session

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/testing/protocmp"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/musterhq/muster/agent/host"
	"github.com/musterhq/muster/agent/section/hosttest"
	inventoryv1 "github.com/musterhq/muster/proto/muster/inventory/v1"
)

const desktop = `# This is private data. Do not parse.
UID=1000
USER=alice
ACTIVE=1
IS_DISPLAY=1
STATE=active
REMOTE=0
TYPE=wayland
ORIGINAL_TYPE=wayland
CLASS=user
SCOPE=session-2.scope
SEAT=seat0
TTY=tty2
SERVICE=gdm-password
VTNR=2
LEADER=1311
REALTIME=1700000000500000
MONOTONIC=21000000
`

func TestCollect(t *testing.T) {
	t.Parallel()
	remote := "USER=bob@example.com\nSTATE=%\nREMOTE=1\nTYPE=tty\nCLASS=user\nREMOTE_HOST=192.0.2.7\nSERVICE=sshd\n"
	got, err := collect(t.Context(), hosttest.Tree(t, map[string]string{
		sessions + "/2":     desktop,
		sessions + "/2.ref": "",
		sessions + "/c1":    "USER=gdm\nSTATE=online\nTYPE=wayland\nCLASS=greeter\n",
		sessions + "/3":     remote + "REALTIME=1700000200000000\nSTATE=active\n",
		sessions + "/4":     remote + "REALTIME=1700000100000000\nSTATE=online\n",
		sessions + "/5":     "USER=carol\nSTATE=closing\nTYPE=tty\nCLASS=user\n",
		sessions + "/6":     "USER=alice\nSTATE=active\nTYPE=unspecified\nCLASS=manager\n",
		sessions + "/7":     "USER=EXAMPLE\\dave\nSTATE=online\nTYPE=tty\nCLASS=user-early\nREMOTE=0\n",
	}))
	if err != nil {
		t.Error(err)
	}
	want := []proto.Message{
		&inventoryv1.Session{
			User: "dave", Domain: "EXAMPLE", Type: "console", Display: "tty", State: "online", Sessions: proto.Uint32(1),
		},
		&inventoryv1.Session{
			User: "alice", Type: "console", Display: "wayland", Service: "gdm-password", State: "active", Sessions: proto.Uint32(1),
			Since: &timestamppb.Timestamp{Seconds: 1700000000, Nanos: 500000000},
		},
		&inventoryv1.Session{
			User: "bob", Domain: "example.com", Type: "remote", RemoteHost: "192.0.2.7", Display: "tty", Service: "sshd",
			State: "active", Sessions: proto.Uint32(2), Since: &timestamppb.Timestamp{Seconds: 1700000100},
		},
	}
	if diff := cmp.Diff(want, got, protocmp.Transform()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if _, err := collect(t.Context(), hosttest.Tree(t, nil)); !errors.Is(err, host.ErrUnsupported) {
		t.Errorf("error %v, want %v", err, host.ErrUnsupported)
	}
}

func FuzzParse(f *testing.F) {
	f.Add(desktop)
	f.Add("USER=\\\nCLASS=user\nREALTIME=99999999999999999999")
	f.Fuzz(func(t *testing.T, text string) {
		if s := parse(text); s != nil && s.Type == "" {
			t.Errorf("%q: %v", text, s)
		}
	})
}
