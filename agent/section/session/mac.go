package session

import (
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/musterhq/muster/agent/host"
	"github.com/musterhq/muster/agent/section/dscl"
	inventoryv1 "github.com/musterhq/muster/proto/muster/inventory/v1"
)

// screen is the terminal of the session at the machine's own screen.
const screen = "console"

func collectMac(h *host.Host) ([]proto.Message, error) {
	open, err := h.LoggedOn()
	var found []*inventoryv1.Session
	for _, o := range open {
		if o.User == "" || dscl.IsService(o.User) { // such as that of the setup assistant
			continue
		}
		s := &inventoryv1.Session{
			User: o.User, Type: "console", Display: "tty", Since: timestamppb.New(o.Since), Sessions: proto.Uint32(1),
		}
		switch {
		case o.From != "":
			s.Type, s.RemoteHost = "remote", o.From
		case o.Terminal == screen:
			s.Display = "aqua"
		}
		found = append(found, s)
	}
	return merge(found), err
}
