package rpc

import (
	"bytes"
	"context"
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

// maxRounds is how often a section with a wrong root is requested.
const maxRounds = 3

// Check-ins of one agent. One that checks in more often waits.
const (
	checkInBurst = 120
	checkInEvery = time.Second
)

// checkIn processes one check-in.
func (c *conversation) checkIn(checkIn *inventoryv1.CheckIn) error {
	c.noteCheckIn()
	if err := c.server.checkIns.wait(c.ctx, c.record.ID); err != nil {
		return err
	}
	if checkIn.GetHello() != nil {
		c.hello = checkIn.GetHello()
	}
	if c.hello == nil || len(checkIn.GetInventoryRoot()) != len(inventory.Root{}) {
		return invalid("a check-in needs a root, and the first one of a stream a hello")
	}
	for range maxRounds {
		err := c.answer(checkIn)
		if !errors.Is(err, ingest.ErrFenced) {
			return err
		}
		// Another conversation committed to this record first, e.g. one whose agent was killed
		// during the commit. Retry with the current record.
		if c.record, err = c.server.options.Store.RecordByID(c.ctx, c.record.ID); err != nil {
			return err
		}
		if c.record.RevokedAt != nil {
			return errRevoked
		}
	}
	return ingest.ErrFenced
}

// answer answers a check-in based on the known state of the record.
func (c *conversation) answer(checkIn *inventoryv1.CheckIn) error {
	incident, clone, err := c.examine(checkIn)
	if err != nil {
		return err
	}
	if clone {
		return c.tellClone(incident)
	}
	c.server.live.enter(c.record.ID, c)
	if err := c.present(); err != nil {
		return err
	}
	if c.nothingToDo(checkIn, incident) {
		if err := c.reconsider(); err != nil {
			return err
		}
		return c.ack(c.tokenFor(checkIn), nil, false)
	}
	return c.update(checkIn, incident)
}

// present notes that the agent is alive. If the identity of its device depends on that, it is
// stored at once, because the identification reads it.
func (c *conversation) present() error {
	now := time.Now()
	c.seen = inventory.Presence{
		Record: c.record.ID, SeenAt: now, Until: now.Add(c.server.pace.untilGone()),
		BootID: ingest.Text(c.hello.GetBootId()), Stream: c.id,
	}
	c.server.presence.note(c.seen)
	if !c.record.LivenessDependent {
		return nil
	}
	return c.server.options.Store.FlushPresence(c.ctx, []inventory.Presence{c.seen})
}

// reconsider identifies the device again if the result depends on which agents are alive: two
// installations on one machine, or a replaced agent.
func (c *conversation) reconsider() error {
	if !c.record.LivenessDependent {
		return nil
	}
	states, err := c.states()
	if err != nil {
		return err
	}
	assignment, err := c.server.options.Ingester.Reconsider(c.ctx, c.record, states)
	if err != nil {
		return err
	}
	c.record.CI, c.record.LivenessDependent = assignment.CI, assignment.LivenessDependent
	return nil
}

// heldRoot combines the root of an inventory with the fingerprint of the known sections, so that a
// newer collector requests sections that an older one did not know.
func heldRoot(root []byte) inventory.Root {
	fingerprint := wire.Fingerprint()
	return sha256.Sum256(append(fingerprint[:], root...))
}

func (c *conversation) nothingToDo(checkIn *inventoryv1.CheckIn, incident *inventory.Incident) bool {
	return incident == nil && !checkIn.GetReadingsDue() && c.record.CI != "" &&
		heldRoot(checkIn.GetInventoryRoot()) == c.record.Root && time.Since(c.record.TokenAt) < tokenAge
}

// tokenFor returns the current token for an agent that missed its Ack, else nil.
func (c *conversation) tokenFor(checkIn *inventoryv1.CheckIn) []byte {
	if bytes.Equal(checkIn.GetToken(), c.record.Token) {
		return nil
	}
	return c.record.Token
}

// update requests the missing sections and commits them. It returns ErrFenced if another
// conversation of the record committed first.
func (c *conversation) update(checkIn *inventoryv1.CheckIn, incident *inventory.Incident) error {
	if err := c.server.options.Ingester.Accepting(); err != nil {
		return err // before the agent sends what would be rejected
	}
	summaries, err := c.summaries(checkIn)
	if err != nil {
		return err
	}
	states, err := c.states()
	if err != nil {
		return err
	}
	obs := &ingest.CheckIn{
		Record: c.record, States: states, Summaries: summaries, Root: heldRoot(checkIn.GetInventoryRoot()),
		Token: newToken(), Previous: keepable(checkIn.GetToken()), Incident: c.recordable(incident),
		BootID: ingest.Text(c.hello.GetBootId()), Program: ingest.Text(c.hello.GetAgentVersion()),
		Hardware: hardwareOf(c.hello),
	}
	ask := wanted(summaries, states, checkIn.GetReadingsDue())
	done, err := c.admit(ask)
	if err != nil {
		return err
	}
	defer done()
	result, err := c.gather(obs, ask)
	if err != nil {
		return err
	}
	c.record = result.Record
	return c.ack(obs.Token, result.Verdicts, checkIn.GetReadingsDue())
}

// states returns the stored states of the record's sections; none before its first inventory.
func (c *conversation) states() (map[string]inventory.SectionState, error) {
	if c.record.Version == 0 {
		return map[string]inventory.SectionState{}, nil
	}
	return c.server.options.Store.SectionStates(c.ctx, c.record.ID)
}

// Inventories that agents send at the same time. The others wait until they are asked, so that a
// thousand machines that start at once need no more memory than these.
const (
	maxFirst     = 96
	maxUpdates   = 512
	admitTimeout = 4 * time.Minute // agents wait 5 minutes for an answer
)

// admit waits until the agent may send what is asked for. The caller calls done afterwards.
func (c *conversation) admit(ask *inventoryv1.Want) (done func(), err error) {
	turns := c.server.updates
	switch {
	case len(ask.GetSections()) == 0 && !ask.GetReadings():
		return func() {}, nil
	case c.record.Version == 0:
		turns = c.server.first
	}
	ctx, cancel := context.WithTimeoutCause(c.ctx, admitTimeout, errBusy)
	defer cancel()
	if turns.Acquire(ctx, 1) != nil {
		return nil, context.Cause(ctx)
	}
	return func() { turns.Release(1) }, nil
}

// gather requests updates, receives and applies them. If a section does not match its root, gather
// requests it in full, and keeps the others.
func (c *conversation) gather(obs *ingest.CheckIn, ask *inventoryv1.Want) (ingest.Result, error) {
	got := &harvest{updates: map[string]*ingest.Update{}, until: time.Now().Add(holdTimeout)}
	defer func() { c.server.budget.release(c.record.ID, got.held) }()
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
		Message: fmt.Sprintf("a section does not match its root after %d attempts", maxRounds),
	}
}

// ack ends a check-in.
func (c *conversation) ack(token []byte, verdicts []inventory.Verdict, readings bool) error {
	next := c.server.pace.next(c.record.AgentID, time.Now())
	ack := &inventoryv1.Ack{
		Token:              token,
		NextCheckInSeconds: uint32(math.Ceil(next.Seconds())), // rounded up, because 0 means unset
		ReadingsAccepted:   readings,
	}
	for _, v := range sendable(verdicts) {
		ack.Verdicts = append(ack.Verdicts, &inventoryv1.Verdict{
			Section: v.Section, Item: v.Item, Outcome: v.Outcome, Reason: v.Reason,
		})
	}
	return c.send(&inventoryv1.CollectorMessage{Kind: &inventoryv1.CollectorMessage_Ack{Ack: ack}})
}

// maxSentVerdicts bounds the verdicts of an Ack in bytes: an agent accepts messages of 1 MiB.
const maxSentVerdicts = 256 << 10

// sendable returns the verdicts that fit into an Ack. The device's sections show all of them.
func sendable(verdicts []inventory.Verdict) []inventory.Verdict {
	size := 0
	for i, v := range verdicts {
		size += len(v.Section) + len(v.Item) + len(v.Outcome) + len(v.Reason) + verdictOverhead
		if size > maxSentVerdicts {
			return verdicts[:i]
		}
	}
	return verdicts
}

const verdictOverhead = 24 // bytes of the tags and lengths of a verdict
