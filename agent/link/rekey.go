package link

import (
	"context"
	"fmt"

	"github.com/musterhq/muster/agent/state"
	inventoryv1 "github.com/musterhq/muster/proto/muster/inventory/v1"
)

// rekeyError reports that the collector found this agent's key on another machine.
type rekeyError struct{ reason string }

func (e *rekeyError) Error() string {
	return "the collector asks for a new key: " + e.reason
}

// rekey enrolls a clone with a key and a source record of its own. It first deletes the
// acknowledged state, which belongs to the original. After a crash in between the collector asks
// for a new key again; the reverse order could leave a new identity with the state of the original.
func (a *Agent) rekey(ctx context.Context, identity state.Identity) error {
	key, csr, err := newKey()
	if err != nil {
		return err
	}
	connection, err := connectAs(identity, identity.TLS(), a.now)
	if err != nil {
		return err
	}
	defer func() { _ = connection.Close() }()
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	answer, err := inventoryv1.NewInventoryClient(connection).Rekey(ctx, &inventoryv1.RekeyRequest{Csr: csr})
	if err != nil {
		return fmt.Errorf("request a new key: %w", err)
	}
	was := identity.AgentID
	identity.Key, identity.AgentID = key, answer.GetAgentId()
	identity, err = withCertificate(identity, answer.GetCertificate(), identity.Authorities, a.now())
	if err != nil {
		return err
	}
	if err := a.State.Forget(); err != nil {
		return err
	}
	if err := a.State.SetIdentity(identity); err != nil {
		return err
	}
	a.logger().Info("new key received", "agent", identity.AgentID, "was", was)
	return nil
}
