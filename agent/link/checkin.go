package link

import (
	"errors"
	"fmt"
	"time"

	"github.com/klauspost/compress/zstd"

	"github.com/musterhq/muster/agent/state"
	"github.com/musterhq/muster/internal/inventory"
	inventoryv1 "github.com/musterhq/muster/proto/muster/inventory/v1"
)

const (
	// maxRounds is how often a collector may want sections in one check-in: once, and again those that did not
	// come out right. Beyond that the two will not agree.
	maxRounds = 3
	// maxMessages bounds what a collector may say at all in one check-in.
	maxMessages = 16
	// maxIdentifier is the size in bytes of the largest ratchet token that is remembered.
	maxToken = 64
	// readingsInterval is how long readings may wait where nothing else changed.
	readingsInterval = 24 * time.Hour
)

// Outcome is what a check-in came to.
type Outcome struct {
	Sections []Sent // those that were sent
	Verdicts []inventory.Verdict
	Next     time.Duration // until the next check-in, as the collector asks
	Again    bool          // the collector asked meanwhile for another inventory
}

// Sent is what was sent of one section.
type Sent struct {
	Section string
	Whole   bool // not a delta
	Added   int
	Removed int
	Bytes   int // compressed
}

// checkIn is one check-in under way.
type checkIn struct {
	*conversation
	inv     Inventory
	root    inventory.Root
	rounds  int
	outcome Outcome
}

// checkIn says what the agent holds and sends what the collector wants, until it acknowledges.
func (c *conversation) checkIn(inv Inventory) (Outcome, error) {
	i := &checkIn{conversation: c, inv: inv, root: inv.root()}
	acknowledged, known := c.state.InventoryRoot()
	if err := i.say(!known || acknowledged != i.root); err != nil {
		return Outcome{}, err
	}
	for range maxMessages {
		message, err := c.next()
		if err != nil {
			return Outcome{}, err
		}
		if done, err := i.react(message); done || err != nil {
			return i.outcome, err
		}
	}
	return Outcome{}, fmt.Errorf("the collector said %d things and acknowledged nothing", maxMessages)
}

// say sends the check-in itself.
func (i *checkIn) say(withSummaries bool) error {
	said := &inventoryv1.CheckIn{
		Token:         i.state.Token(),
		InventoryRoot: i.root[:],
		ReadingsDue:   readingsDue(i.state.ReadingsAccepted(), i.now()),
		Hello:         i.hello,
	}
	if said.Hello != nil {
		said.Hello.Hardware = i.inv.Hardware
		i.hello = nil
	}
	if withSummaries {
		said.Sections = i.inv.summaries()
	}
	return i.send(&inventoryv1.AgentMessage{Kind: &inventoryv1.AgentMessage_CheckIn{CheckIn: said}})
}

// readingsDue reports whether readings waited long enough. What was accepted in the future was accepted by another clock.
func readingsDue(accepted, now time.Time) bool {
	return now.Sub(accepted) >= readingsInterval || accepted.After(now)
}

// react does what the collector's message asks for, and reports whether that was the last one.
func (i *checkIn) react(message *inventoryv1.CollectorMessage) (done bool, err error) {
	switch kind := message.GetKind().(type) {
	case *inventoryv1.CollectorMessage_Ack:
		return true, i.acknowledge(kind.Ack)
	case *inventoryv1.CollectorMessage_Want:
		return false, i.satisfy(kind.Want)
	case *inventoryv1.CollectorMessage_CollectNow:
		i.outcome.Again = true
		return false, nil
	case *inventoryv1.CollectorMessage_Rekey:
		return false, &rekeyError{kind.Rekey.GetReason()}
	default:
		return false, errors.New("the collector says something that this agent does not know")
	}
}

// satisfy sends what the collector wants.
func (i *checkIn) satisfy(want *inventoryv1.Want) error {
	if want.GetSummaries() {
		return i.say(true)
	}
	if i.rounds++; i.rounds > maxRounds {
		return fmt.Errorf("the collector wants more after %d answers", maxRounds)
	}
	packer, err := newPacker()
	if err != nil {
		return err
	}
	for _, change := range answer(want, i.inv, i.state.Facts) {
		bytes, err := i.transmit(change, packer)
		if err != nil {
			return err
		}
		if !change.readingsOnly {
			i.outcome.Sections = append(i.outcome.Sections, Sent{
				Section: change.section, Whole: change.base == nil,
				Added: len(change.added), Removed: len(change.removed), Bytes: bytes,
			})
		}
	}
	return i.send(&inventoryv1.AgentMessage{Kind: &inventoryv1.AgentMessage_Commit{Commit: &inventoryv1.Commit{}}})
}

// transmit sends one change, chunk by chunk, and gives the size of its compressed items.
func (i *checkIn) transmit(c change, packer *zstd.Encoder) (bytes int, err error) {
	for items, last := range c.chunks() {
		update, err := c.update(items, last, packer)
		if err != nil {
			return bytes, err
		}
		bytes += len(update.GetItems())
		if err := i.send(&inventoryv1.AgentMessage{Kind: &inventoryv1.AgentMessage_Update{Update: update}}); err != nil {
			return bytes, err
		}
	}
	return bytes, nil
}

// acknowledge remembers that the collector holds the inventory. Until here the agent has forgotten nothing.
func (i *checkIn) acknowledge(ack *inventoryv1.Ack) error {
	if len(ack.GetToken()) > maxToken {
		return fmt.Errorf("the collector's token has %d bytes", len(ack.GetToken()))
	}
	for _, v := range ack.GetVerdicts() {
		i.outcome.Verdicts = append(i.outcome.Verdicts, inventory.Verdict{
			Section: v.GetSection(), Item: v.GetItem(), Outcome: v.GetOutcome(), Reason: v.GetReason(),
		})
	}
	i.outcome.Next = pace(ack.GetNextCheckInSeconds())
	acknowledged := state.Acknowledged{Root: i.root, Sets: i.inv.sets(), Token: ack.GetToken()}
	if ack.GetReadingsAccepted() {
		acknowledged.Readings = i.now()
	}
	return i.state.Acknowledge(acknowledged)
}
