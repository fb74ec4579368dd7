package rpc

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/musterhq/muster/internal/ingest"
	"github.com/musterhq/muster/internal/inventory"
	"github.com/musterhq/muster/internal/wire"
	inventoryv1 "github.com/musterhq/muster/proto/muster/inventory/v1"
)

// maxRounds is how often a section that does not arrive as it was sent is asked for again.
const maxRounds = 3

// checkIn answers one check-in, with everything that follows from it.
func (c *conversation) checkIn(said *inventoryv1.CheckIn) error {
	c.noteCheckIn()
	if said.GetHello() != nil {
		c.hello = said.GetHello()
	}
	if c.hello == nil || len(said.GetInventoryRoot()) != len(inventory.Root{}) {
		return invalid("a check-in needs a root, and a stream's first one a hello")
	}
	for range maxRounds {
		err := c.answer(said)
		if !errors.Is(err, ingest.ErrFenced) {
			return err
		}
		// Another conversation of this record was faster, such as one whose agent was killed while we were committing what it
		// had sent. The question is asked anew of the record as it is now.
		if c.record, err = c.server.options.Store.RecordByID(c.ctx, c.record.ID); err != nil {
			return err
		}
		if c.record.RevokedAt != nil {
			return errRevoked
		}
	}
	return ingest.ErrFenced
}

// answer answers a check-in by what the record is known to be.
func (c *conversation) answer(said *inventoryv1.CheckIn) error {
	incident, clone, err := c.examine(said)
	if err != nil {
		return err
	}
	if clone {
		return c.tellClone(incident)
	}
	c.server.live.enter(c.record.ID, c)
	c.lastSeen = time.Now()
	c.server.presence.note(c.record.ID, c.lastSeen, c.id)

	if c.nothingToDo(said, incident) {
		if err := c.reconsider(); err != nil {
			return err
		}
		return c.ack(c.tokenFor(said), nil, false)
	}
	return c.take(said, incident)
}

// reconsider looks again at which device this is where that depends on who is alive: two installations on one machine,
// or an agent that was replaced.
func (c *conversation) reconsider() error {
	if !c.record.LivenessDependent {
		return nil
	}
	states, err := c.states()
	if err != nil {
		return err
	}
	place, err := c.server.options.Ingester.Reconsider(c.ctx, c.record, states)
	if err != nil {
		return err
	}
	c.record.CI, c.record.LivenessDependent = place.CI, place.LivenessDependent
	return nil
}

// heldRoot is the form in which the root of an inventory is held: together with what this program knows of
// sections, so that a newer collector looks again at what an older one could not take.
func heldRoot(root []byte) inventory.Root {
	fingerprint := wire.Fingerprint()
	return sha256.Sum256(append(fingerprint[:], root...))
}

func (c *conversation) nothingToDo(said *inventoryv1.CheckIn, incident *inventory.Incident) bool {
	return incident == nil && !said.GetReadingsDue() && c.record.CI != "" &&
		heldRoot(said.GetInventoryRoot()) == c.record.Root && time.Since(c.record.TokenAt) < tokenAge
}

// tokenFor gives the current token to an agent that missed the Ack it came with.
func (c *conversation) tokenFor(said *inventoryv1.CheckIn) []byte {
	if bytes.Equal(said.GetToken(), c.record.Token) {
		return nil
	}
	return c.record.Token
}

// take asks for what is missing and commits it. ErrFenced says that another conversation of the same record was faster.
func (c *conversation) take(said *inventoryv1.CheckIn, incident *inventory.Incident) error {
	summaries, err := c.summaries(said)
	if err != nil {
		return err
	}
	states, err := c.states()
	if err != nil {
		return err
	}
	obs := &ingest.CheckIn{
		Record: c.record, States: states, Summaries: summaries, Root: heldRoot(said.GetInventoryRoot()),
		Token: newToken(), Previous: keepable(said.GetToken()), Incident: incident,
		BootID: ingest.Text(c.hello.GetBootId()), Program: ingest.Text(c.hello.GetAgentVersion()), Hardware: hardwareOf(c.hello),
	}
	result, err := c.gather(obs, wanted(summaries, states, said.GetReadingsDue()))
	if err != nil {
		return err
	}
	c.record = result.Record
	return c.ack(obs.Token, result.Verdicts, said.GetReadingsDue())
}

// states gives what is held of the record's sections: nothing, before its first inventory.
func (c *conversation) states() (map[string]inventory.SectionState, error) {
	if c.record.Version == 0 {
		return map[string]inventory.SectionState{}, nil
	}
	return c.server.options.Store.SectionStates(c.ctx, c.record.ID)
}

// gather asks, collects the answers and applies them. A section that does not fit is asked for whole; the others
// need not be sent again.
func (c *conversation) gather(obs *ingest.CheckIn, ask *inventoryv1.Want) (ingest.Result, error) {
	got := &harvest{updates: map[string]*ingest.Update{}}
	defer func() { c.server.inFlight.Release(got.held) }()
	for range maxRounds {
		if len(ask.GetSections()) > 0 || ask.GetReadings() {
			if err := c.send(want(ask)); err != nil {
				return ingest.Result{}, err
			}
			if err := c.harvest(got, ask); err != nil {
				return ingest.Result{}, err
			}
		}
		obs.Updates = got.list()
		result, err := c.server.options.Ingester.Apply(c.ctx, obs)
		var mismatch *ingest.MismatchError
		if !errors.As(err, &mismatch) {
			return result, err
		}
		delete(got.updates, mismatch.Section)
		ask = &inventoryv1.Want{Sections: []*inventoryv1.WantSection{{Section: mismatch.Section}}}
	}
	return ingest.Result{}, &inventory.Error{
		Code:    inventory.CodeConflict,
		Message: fmt.Sprintf("after %d attempts a section still is not what its root says", maxRounds),
	}
}

// ack ends a check-in.
func (c *conversation) ack(token []byte, verdicts []inventory.Verdict, readings bool) error {
	ack := &inventoryv1.Ack{
		Token:              token,
		NextCheckInSeconds: uint32(math.Ceil(c.server.pace.next(c.record.AgentID, time.Now()).Seconds())), // 0 would say nothing
		ReadingsAccepted:   readings,
	}
	for _, v := range verdicts {
		ack.Verdicts = append(ack.Verdicts, &inventoryv1.Verdict{Section: v.Section, Item: v.Item, Outcome: v.Outcome, Reason: v.Reason})
	}
	return c.send(&inventoryv1.CollectorMessage{Kind: &inventoryv1.CollectorMessage_Ack{Ack: ack}})
}
