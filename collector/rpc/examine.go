package rpc

import (
	"crypto/sha256"
	"encoding/hex"
	"strconv"
	"time"

	"github.com/musterhq/muster/internal/ingest"
	"github.com/musterhq/muster/internal/inventory"
	inventoryv1 "github.com/musterhq/muster/proto/muster/inventory/v1"
)

// examine checks whether the agent that presents a token runs on the machine of the record. It
// returns an incident for a rollback or a clone; a clone must get its own key. An agent that presents
// the token that a rollback abandoned was not rolled back: two copies take turns.
func (c *conversation) examine(checkIn *inventoryv1.CheckIn) (incident *inventory.Incident, clone bool, err error) {
	state := stateOf(c.record, checkIn.GetToken())
	if state != current {
		// This stream's view of the record may be older than what another stream committed.
		if c.record, err = c.server.options.Store.RecordByID(c.ctx, c.record.ID); err != nil {
			return nil, false, err
		}
		if c.record.RevokedAt != nil {
			return nil, false, errRevoked
		}
		state = stateOf(c.record, checkIn.GetToken())
	}
	other, err := c.otherAlive(state)
	if err != nil {
		return nil, false, err
	}
	// With the current token, different hardware is the same machine with a replaced board.
	different := state != current && differs(c.record.Hardware, hardwareOf(c.hello))
	abandoned := false
	if state == stale && !other && !different {
		hash := hashOf(checkIn.GetToken())
		if abandoned, err = c.server.options.Store.WasAbandoned(c.ctx, c.record.ID, hash); err != nil {
			return nil, false, err
		}
	}
	switch {
	case other || different || abandoned:
		return c.incident(inventory.IncidentClone, other || abandoned, different), true, nil
	case state == stale:
		incident := c.incident(inventory.IncidentRollback, false, false)
		incident.Detail[inventory.DetailAbandoned] = hashOf(c.record.Token)
		return incident, false, nil
	}
	return nil, false, nil
}

// hashOf returns the form in which an incident stores a token.
func hashOf(token []byte) string {
	hash := sha256.Sum256(token)
	return hex.EncodeToString(hash[:])
}

// otherAlive reports whether another machine uses the record's key at the same time. An agent that
// reconnects within the same boot, after a lost connection or Ack, is the same machine. In another
// boot it is a different machine if the first still answers, as when both run from copies of one
// disk.
func (c *conversation) otherAlive(state tokenState) (bool, error) {
	other, ok := c.server.live.get(c.record.ID)
	switch {
	case ok && other.conversation == c:
		return false, nil
	case ok && state != stale && other.boot == c.hello.GetBootId():
		return false, nil
	case ok:
		return other.answers(c.ctx), nil
	case state != stale:
		return false, nil
	}
	// An agent of another collector cannot be probed; it counts as alive for two intervals after
	// its last check-in.
	seen, ok, err := c.server.options.Store.LastPresence(c.ctx, c.record.ID)
	if err != nil || !ok {
		return false, err
	}
	return seen.Stream != noStream && time.Since(seen.SeenAt) < 2*c.server.pace.interval, nil
}

func (c *conversation) incident(incidentType string, alive, different bool) *inventory.Incident {
	return &inventory.Incident{Type: incidentType, Detail: map[string]string{
		"boot_id":             ingest.Text(c.hello.GetBootId()),
		"recorded_boot_id":    c.record.BootID,
		"other_stream_alive":  strconv.FormatBool(alive),
		"hardware_is_another": strconv.FormatBool(different),
	}}
}

// recordable returns the incident if it may be stored and logged, with the number of those before
// it that were not; nil if the record had too many. An agent that causes incidents at every
// check-in would fill the table and the log.
func (c *conversation) recordable(incident *inventory.Incident) *inventory.Incident {
	if incident == nil {
		return nil
	}
	ok, dropped := c.server.incidents.allow(c.record.ID)
	if !ok {
		return nil
	}
	if dropped > 0 {
		incident.Detail["not_recorded_before"] = strconv.Itoa(dropped)
	}
	return incident
}

// Incidents of one record that are recorded.
const (
	incidentBurst = 5
	incidentEvery = 10 * time.Minute
)

func (c *conversation) tellClone(incident *inventory.Incident) error {
	if incident = c.recordable(incident); incident != nil {
		if err := c.server.options.Store.AddIncident(c.ctx, c.record.ID, *incident); err != nil {
			return err
		}
		c.server.options.Logger.Warn("clone: the agent's key is in use on another machine",
			"agent", c.record.AgentID, "detail", incident.Detail)
	}
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

// maxFamilies limits the hardware hashes that an agent may send; there are four families.
const maxFamilies = 16
