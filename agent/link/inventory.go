package link

import (
	"fmt"
	"strings"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/musterhq/muster/agent/state"
	"github.com/musterhq/muster/internal/inventory"
	"github.com/musterhq/muster/internal/wire"
	inventoryv1 "github.com/musterhq/muster/proto/muster/inventory/v1"
)

// Inventory is one collection of the machine, ready to be sent.
type Inventory struct {
	Sections []Section
	Hardware []*inventoryv1.Hardware
}

// Section is one section of an inventory.
type Section struct {
	wire.Summary
	Duration time.Duration
	Set      wire.Set
	Verdicts []inventory.Verdict // on items that cannot be sent unchanged
}

// maxItem is the maximum size of an item, in bytes. A chunk must hold the item whatever its section
// is. Collectors accept far less per item.
const maxItem = 256 << 10

// NewSection returns a section that is ready to be sent. Items larger than maxItem are left out and
// make the section partial.
func NewSection(
	name string, status inventory.Status, message string, duration time.Duration, items []proto.Message,
) Section {
	section := Section{Duration: duration}
	section.Summary = wire.Summary{Section: name, Status: status, Message: strings.ToValidUTF8(message, "\uFFFD")}
	kind, ok := wire.Lookup(name)
	if !ok {
		section.Status, section.Message = inventory.StatusError, "unknown section"
		return section
	}
	if !status.Collected() {
		return section
	}
	sendable := withoutHuge(items)
	section.Set, section.Verdicts = kind.NewSet(sendable)
	section.Root = section.Set.Root()
	if huge := len(items) - len(sendable); huge > 0 {
		reason := fmt.Sprintf("%d items are larger than %d bytes", huge, maxItem)
		section.Verdicts = append(section.Verdicts, inventory.Verdict{
			Section: name, Outcome: inventory.OutcomeRejected, Reason: reason,
		})
		section.Status, section.Message = inventory.StatusPartial, strings.TrimPrefix(section.Message+"; "+reason, "; ")
	}
	return section
}

func withoutHuge(items []proto.Message) []proto.Message {
	sendable := make([]proto.Message, 0, len(items))
	for _, item := range items {
		if item == nil || proto.Size(item) <= maxItem {
			sendable = append(sendable, item)
		}
	}
	return sendable
}

// root returns the root hash of the whole inventory.
func (i Inventory) root() inventory.Root {
	summaries := make([]wire.Summary, len(i.Sections))
	for n, s := range i.Sections {
		summaries[n] = s.Summary
	}
	return wire.InventoryRoot(summaries)
}

// summaries returns the summaries for a CheckIn.
func (i Inventory) summaries() []*inventoryv1.Summary {
	list := make([]*inventoryv1.Summary, len(i.Sections))
	for n, s := range i.Sections {
		list[n] = &inventoryv1.Summary{Section: s.Section, Status: wire.StatusTo(s.Status), Message: s.Message}
		if s.Status.Collected() {
			list[n].Root = s.Root[:]
		}
	}
	return list
}

// sets returns what the collector holds after it acknowledges the inventory.
func (i Inventory) sets() map[string]wire.Set {
	sets := make(map[string]wire.Set, len(i.Sections))
	for _, s := range i.Sections {
		if s.Status.Collected() {
			sets[s.Section] = s.Set
		}
	}
	return sets
}

// view returns what the status command prints of the inventory.
func (i Inventory) view() []state.Section {
	list := make([]state.Section, len(i.Sections))
	for n, s := range i.Sections {
		list[n] = state.Section{Section: s.Section, Status: s.Status, Message: s.Message, Items: len(s.Set.Items())}
	}
	return list
}
