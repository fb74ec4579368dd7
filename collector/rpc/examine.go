package rpc

import (
	"strconv"
	"time"

	"github.com/musterhq/muster/internal/ingest"
	"github.com/musterhq/muster/internal/inventory"
	inventoryv1 "github.com/musterhq/muster/proto/muster/inventory/v1"
)

// examine finds out whether the presenter of a token is the machine that the record is about. What it found is an
// incident; a clone is told to take a key of its own.
func (c *conversation) examine(said *inventoryv1.CheckIn) (incident *inventory.Incident, clone bool, err error) {
	how := stand(c.record, said.GetToken())
	if how != current {
		// This stream's view of the record may be older than what another stream committed.
		if c.record, err = c.server.options.Store.RecordByID(c.ctx, c.record.ID); err != nil {
			return nil, false, err
		}
		if c.record.RevokedAt != nil {
			return nil, false, errRevoked
		}
		how = stand(c.record, said.GetToken())
	}
	other, err := c.otherAlive(how)
	if err != nil {
		return nil, false, err
	}
	// With the current token other hardware is no other machine: its board was replaced.
	foreign := how != current && differs(c.record.Hardware, hardwareOf(c.hello))
	switch {
	case other || foreign:
		return c.incident(inventory.IncidentClone, other, foreign), true, nil
	case how == stale:
		return c.incident(inventory.IncidentRollback, false, false), false, nil
	}
	return nil, false, nil
}

// otherAlive reports whether the record's machine is in conversation elsewhere. An agent that lost a connection or an
// Ack and speaks again within one boot is no other machine; in another boot it is one if the first still answers, as
// when both run from copies of one disk.
func (c *conversation) otherAlive(how standing) (bool, error) {
	other, ok := c.server.live.get(c.record.ID)
	switch {
	case ok && other.conversation == c:
		return false, nil
	case ok && how != stale && other.boot == c.hello.GetBootId():
		return false, nil
	case ok:
		return other.answers(c.ctx), nil
	case how != stale:
		return false, nil
	}
	// On another collector nobody can be asked; who checked in within two intervals is alive.
	seen, ok, err := c.server.options.Store.LastPresence(c.ctx, c.record.ID)
	if err != nil || !ok {
		return false, err
	}
	return seen.Stream != noStream && time.Since(seen.SeenAt) < 2*c.server.pace.interval, nil
}

func (c *conversation) incident(kind string, alive, foreign bool) *inventory.Incident {
	return &inventory.Incident{Type: kind, Detail: map[string]string{
		"boot_id":             ingest.Text(c.hello.GetBootId()),
		"recorded_boot_id":    c.record.BootID,
		"other_stream_alive":  strconv.FormatBool(alive),
		"hardware_is_another": strconv.FormatBool(foreign),
	}}
}

func (c *conversation) tellClone(incident *inventory.Incident) error {
	if err := c.server.options.Store.AddIncident(c.ctx, c.record.ID, *incident); err != nil {
		return err
	}
	c.server.options.Logger.Warn("clone: the agent's key is in use on another machine", "agent", c.record.AgentID,
		"detail", incident.Detail)
	return c.send(&inventoryv1.CollectorMessage{Kind: &inventoryv1.CollectorMessage_Rekey{Rekey: &inventoryv1.Rekey{
		Reason: "this agent's key is in use on another machine",
	}}})
}
func hardwareOf(hello *inventoryv1.Hello) map[string]uint64 {
	hardware := make(map[string]uint64, len(hello.GetHardware()))
	for _, h := range hello.GetHardware() {
		if len(hardware) < maxFamilies {
			hardware[ingest.Text(h.GetFamily())] = h.GetHash()
		}
	}
	return hardware
}

// maxFamilies bounds what an agent may say of its hardware; there are four families.
const maxFamilies = 16
