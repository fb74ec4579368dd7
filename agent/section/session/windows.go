package session

import (
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/musterhq/muster/agent/host"
	inventoryv1 "github.com/musterhq/muster/proto/muster/inventory/v1"
)

// States of a session of Windows (WTS_CONNECTSTATE_CLASS). The other states are those of sessions
// in which nobody is logged on.
const (
	sessionActive       = 0
	sessionDisconnected = 4
)

// overRDP is the protocol of Remote Desktop (WTSClientProtocolType).
const overRDP = 2

func collectWindows(h *host.Host) ([]proto.Message, error) {
	list, err := h.LogonSessions()
	var found []*inventoryv1.Session
	for _, l := range list {
		if s := ofWindows(l); s != nil {
			found = append(found, s)
		}
	}
	return merge(found), err
}

// ofWindows returns nil for a session in which nobody is logged on.
func ofWindows(l host.LogonSession) *inventoryv1.Session {
	s := &inventoryv1.Session{User: l.User, Domain: l.Domain, Type: "console", Sessions: proto.Uint32(1)}
	switch {
	case l.User == "":
		return nil
	case l.State == sessionActive:
		s.State = "active"
	case l.State == sessionDisconnected: // the user's programs continue
		s.State = "disconnected"
	default:
		return nil
	}
	if l.Protocol != 0 {
		s.Type, s.RemoteHost = "remote", l.Client
	}
	if l.Protocol == overRDP {
		s.Display = "rdp"
	}
	if !l.LoggedOn.IsZero() {
		s.Since = timestamppb.New(l.LoggedOn)
	}
	return s
}
