package rpc

import (
	"bytes"

	"github.com/musterhq/muster/internal/ingest"
	"github.com/musterhq/muster/internal/inventory"
	"github.com/musterhq/muster/internal/wire"
	inventoryv1 "github.com/musterhq/muster/proto/muster/inventory/v1"
)

// summaries gives what the agent says of each section that this collector knows, asking for it if need be.
func (c *conversation) summaries(said *inventoryv1.CheckIn) ([]wire.Summary, error) {
	if len(said.GetSections()) == 0 {
		if err := c.send(want(&inventoryv1.Want{Summaries: true})); err != nil {
			return nil, err
		}
		message, err := c.next(progressTimeout)
		if err != nil {
			return nil, err
		}
		again := message.GetCheckIn()
		if again == nil || len(again.GetSections()) == 0 {
			return nil, invalid("asked for summaries, got none")
		}
		said.Sections, said.InventoryRoot = again.GetSections(), again.GetInventoryRoot()
	}
	return readSummaries(said)
}

func readSummaries(said *inventoryv1.CheckIn) ([]wire.Summary, error) {
	all := make([]wire.Summary, 0, len(said.GetSections()))
	var known []wire.Summary
	seen := map[string]bool{}
	for _, s := range said.GetSections() {
		summary := wire.Summary{Section: s.GetSection(), Status: wire.StatusFrom(s.GetStatus()), Message: s.GetMessage()}
		if copy(summary.Root[:], s.GetRoot()); summary.Status.Collected() && len(s.GetRoot()) != len(summary.Root) {
			return nil, invalid("section " + summary.Section + " has no root")
		}
		if seen[summary.Section] {
			return nil, invalid("section " + summary.Section + " is summarized twice")
		}
		seen[summary.Section] = true
		all = append(all, summary)
		if _, ok := wire.Lookup(summary.Section); ok {
			summary.Message = ingest.Text(summary.Message)
			known = append(known, summary)
		}
	}
	if root := wire.InventoryRoot(all); !bytes.Equal(root[:], said.GetInventoryRoot()) {
		return nil, invalid("the root is not that of the summaries")
	}
	return known, nil
}

// wanted lists what the collector does not hold.
func wanted(summaries []wire.Summary, states map[string]inventory.SectionState, readings bool) *inventoryv1.Want {
	ask := &inventoryv1.Want{Readings: readings}
	for _, summary := range summaries {
		state := states[summary.Section]
		switch {
		case !summary.Status.Collected():
		case !state.Collected:
			ask.Sections = append(ask.Sections, &inventoryv1.WantSection{Section: summary.Section})
		case summary.Status.Complete() && state.Superset:
			// What a partial section left standing can go now, or be confirmed: only the whole section says which.
			ask.Sections = append(ask.Sections, &inventoryv1.WantSection{Section: summary.Section})
		case state.Root != summary.Root:
			ask.Sections = append(ask.Sections, &inventoryv1.WantSection{Section: summary.Section, BaseRoot: state.Root[:]})
		}
	}
	return ask
}

func want(w *inventoryv1.Want) *inventoryv1.CollectorMessage {
	return &inventoryv1.CollectorMessage{Kind: &inventoryv1.CollectorMessage_Want{Want: w}}
}
