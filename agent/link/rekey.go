package link

import (
	"context"
	"fmt"

	"github.com/musterhq/muster/agent/state"
	inventoryv1 "github.com/musterhq/muster/proto/muster/inventory/v1"
)

// rekeyError says that the collector found this agent's key on another machine.
type rekeyError struct{ reason string }

func (e *rekeyError) Error() string {
	return "the collector asks for a new key: " + e.reason
}

// rekey makes the agent another one: a clone that takes a record of its own. What was acknowledged is the original's
// and goes first, so that a crash in between leaves an agent that is asked to re-key again, and not a new one with
// the memory of the old.
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
		return fmt.Errorf("take a new key: %w", err)
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
	a.logger().Info("new key taken", "agent", identity.AgentID, "was", was)
	return nil
}
