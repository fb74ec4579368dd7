package session

import (
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/testing/protocmp"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/musterhq/muster/agent/host"
	"github.com/musterhq/muster/agent/section/hosttest"
	inventoryv1 "github.com/musterhq/muster/proto/muster/inventory/v1"
)

func TestWindows(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, time.March, 4, 8, 0, 0, 0, time.UTC)
	h := hosttest.WindowsMachine(t, host.NewRegistryTree(), []hosttest.Call{{Call: "logon sessions", Value: []host.LogonSession{
		{State: sessionDisconnected}, // of the services
		{State: sessionActive, User: "ann", Domain: "PC7", LoggedOn: at.Add(time.Hour)}, // at the console
		{State: 6}, // listens
		{State: sessionActive, User: "bob", Domain: "CORP", Protocol: overRDP, Client: "PC8"}, // remote
		{State: sessionDisconnected, User: "bob", Domain: "CORP", Protocol: overRDP, Client: "PC8", LoggedOn: at},
		{State: sessionDisconnected, User: "eve", Domain: "CORP"},
		{State: 1, User: "connecting"},
	}}})
	items, err := collect(t.Context(), h)
	if err != nil {
		t.Fatal(err)
	}
	want := []proto.Message{
		&inventoryv1.Session{User: "eve", Domain: "CORP", Type: "console", State: "disconnected", Sessions: proto.Uint32(1)},
		&inventoryv1.Session{User: "bob", Domain: "CORP", Type: "remote", RemoteHost: "PC8", Display: "rdp", State: "active", Sessions: proto.Uint32(2)},
		&inventoryv1.Session{
			User: "ann", Domain: "PC7", Type: "console", State: "active", Since: timestamppb.New(at.Add(time.Hour)), Sessions: proto.Uint32(1),
		},
	}
	if diff := gocmp.Diff(want, items, protocmp.Transform()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
