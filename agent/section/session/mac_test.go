package session

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/testing/protocmp"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/musterhq/muster/agent/host"
	"github.com/musterhq/muster/agent/section/hosttest"
	inventoryv1 "github.com/musterhq/muster/proto/muster/inventory/v1"
)

func TestCollectMac(t *testing.T) {
	t.Parallel()
	at := time.Unix(1_700_000_000, 0).UTC()
	h, err := host.Replay(hosttest.Recording(t, "darwin", nil, []hosttest.Call{
		{Call: "logged-on users", Value: []host.LoggedOn{
			{User: "ann", Terminal: "console", Since: at},
			{User: "ann", Terminal: "ttys000", Since: at.Add(time.Minute)},
			{User: "bob", Terminal: "ttys001", From: "10.0.0.7", Since: at.Add(time.Hour)},
			{User: "_mbsetupuser", Terminal: "console", Since: at},
		}},
	}))
	if err != nil {
		t.Fatal(err)
	}
	got, err := collect(t.Context(), h)
	if err != nil {
		t.Error(err)
	}
	want := []proto.Message{
		&inventoryv1.Session{User: "ann", Type: "console", Display: "aqua", Since: timestamppb.New(at), Sessions: proto.Uint32(2)},
		&inventoryv1.Session{
			User: "bob", Type: "remote", RemoteHost: "10.0.0.7", Display: "tty", Since: timestamppb.New(at.Add(time.Hour)),
			Sessions: proto.Uint32(1),
		},
	}
	if diff := cmp.Diff(want, got, protocmp.Transform()); diff != "" {
		t.Errorf("sessions (-want +got):\n%s", diff)
	}
}
