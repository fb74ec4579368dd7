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
	// maxRounds bounds the Wants in one check-in: the first, and repeats for sections that did not
	// verify. More repeats would not help.
	maxRounds = 3
	// maxMessages bounds the messages that a collector may send in one check-in.
	maxMessages = 16
	// maxToken is the maximum size of a ratchet token, in bytes.
	maxToken = 64
	// readingsInterval is how long readings wait if nothing else changes.
	readingsInterval = 24 * time.Hour
)

// Outcome is the result of a check-in.
type Outcome struct {
	Sections []Sent // those that were sent
	Verdicts []inventory.Verdict
	Next     time.Duration // time until the next check-in, set by the collector
	Again    bool          // the collector asked for another inventory during the check-in
}

// Sent describes what was sent of one section.
type Sent struct {
	Section string
	Whole   bool // not a delta
	Added   int
	Removed int
	Bytes   int // compressed
}

// checkIn is a check-in in progress.
type checkIn struct {
	*conversation
	inv     Inventory
	root    inventory.Root
	rounds  int
	outcome Outcome
}

// checkIn announces the inventory, then sends what the collector wants until it acknowledges.
func (c *conversation) checkIn(inv Inventory) (Outcome, error) {
	i := &checkIn{conversation: c, inv: inv, root: inv.root()}
	acknowledged, known := c.state.InventoryRoot()
	if err := i.announce(!known || acknowledged != i.root); err != nil {
		return Outcome{}, err
	}
	for range maxMessages {
		message, err := c.next()
		if err != nil {
			return Outcome{}, err
		}
		if done, err := i.handle(message); done || err != nil {
			return i.outcome, err
		}
	}
	return Outcome{}, fmt.Errorf("the collector sent %d messages without acknowledging the inventory", maxMessages)
}

// announce sends the CheckIn message.
func (i *checkIn) announce(withSummaries bool) error {
	checkIn := &inventoryv1.CheckIn{
		Token:         i.state.Token(),
		InventoryRoot: i.root[:],
		ReadingsDue:   readingsDue(i.state.ReadingsAccepted(), i.now()),
		Hello:         i.hello,
	}
	if checkIn.Hello != nil {
		checkIn.Hello.Hardware = i.inv.Hardware
		i.hello = nil
	}
	if withSummaries {
		checkIn.Sections = i.inv.summaries()
	}
	return i.send(&inventoryv1.AgentMessage{Kind: &inventoryv1.AgentMessage_CheckIn{CheckIn: checkIn}})
}

// readingsDue reports whether readings have waited long enough. An acceptance in the future means
// that the clock was changed since.
func readingsDue(accepted, now time.Time) bool {
	return now.Sub(accepted) >= readingsInterval || accepted.After(now)
}

// handle replies to a message of the collector and reports whether the check-in is complete.
func (i *checkIn) handle(message *inventoryv1.CollectorMessage) (done bool, err error) {
	switch kind := message.GetKind().(type) {
	case *inventoryv1.CollectorMessage_Ack:
		return true, i.acknowledge(kind.Ack)
	case *inventoryv1.CollectorMessage_Want:
		return false, i.sendWanted(kind.Want)
	case *inventoryv1.CollectorMessage_CollectNow:
		i.outcome.Again = true
		return false, nil
	case *inventoryv1.CollectorMessage_Rekey:
		return false, &rekeyError{kind.Rekey.GetReason()}
	default:
		return false, errors.New("the collector sent a message of an unknown kind; this agent may be too old")
	}
}

// sendWanted sends what a Want asks for.
func (i *checkIn) sendWanted(want *inventoryv1.Want) error {
	if want.GetSummaries() {
		return i.announce(true)
	}
	if i.rounds++; i.rounds > maxRounds {
		return fmt.Errorf("the collector still asks for sections after %d replies", maxRounds)
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

// transmit sends one change in chunks and returns the size of its compressed items.
func (i *checkIn) transmit(c change, packer *zstd.Encoder) (bytes int, err error) {
	for items, last := range c.chunks() {
		update, err := c.update(items, last, packer)
		if err != nil {
			return bytes, err
		}
		bytes += len(update.GetItems())
		message := &inventoryv1.AgentMessage{Kind: &inventoryv1.AgentMessage_Update{Update: update}}
		if err := i.send(message); err != nil {
			return bytes, err
		}
	}
	return bytes, nil
}

// acknowledge stores what the collector now holds. Until then the state keeps the previous set.
func (i *checkIn) acknowledge(ack *inventoryv1.Ack) error {
	if len(ack.GetToken()) > maxToken {
		return fmt.Errorf("the collector sent a token of %d bytes, more than %d", len(ack.GetToken()), maxToken)
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
