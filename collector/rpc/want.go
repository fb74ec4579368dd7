package rpc

import (
	"bytes"

	"github.com/musterhq/muster/internal/ingest"
	"github.com/musterhq/muster/internal/inventory"
	"github.com/musterhq/muster/internal/wire"
	inventoryv1 "github.com/musterhq/muster/proto/muster/inventory/v1"
)

// summaries returns the agent's summaries of the known sections, and requests them if the check-in
// has none.
func (c *conversation) summaries(checkIn *inventoryv1.CheckIn) ([]wire.Summary, error) {
	if len(checkIn.GetSections()) == 0 {
		if err := c.send(want(&inventoryv1.Want{Summaries: true})); err != nil {
			return nil, err
		}
		message, err := c.next(progressTimeout)
		if err != nil {
			return nil, err
		}
		again := message.GetCheckIn()
		if again == nil || len(again.GetSections()) == 0 {
			return nil, invalid("summaries were requested but not sent")
		}
		checkIn.Sections, checkIn.InventoryRoot = again.GetSections(), again.GetInventoryRoot()
	}
	return readSummaries(checkIn)
}

func readSummaries(checkIn *inventoryv1.CheckIn) ([]wire.Summary, error) {
	all := make([]wire.Summary, 0, len(checkIn.GetSections()))
	var known []wire.Summary
	seen := map[string]bool{}
	for _, s := range checkIn.GetSections() {
		summary := wire.Summary{
			Section: s.GetSection(),
			Status:  wire.StatusFrom(s.GetStatus()),
			Message: s.GetMessage(),
		}
		if copy(summary.Root[:], s.GetRoot()); summary.Status.Collected() && len(s.GetRoot()) != len(summary.Root) {
			return nil, invalid("section " + summary.Section + " has no root")
		}
		if seen[summary.Section] {
			return nil, invalid("section " + summary.Section + " has two summaries")
		}
		seen[summary.Section] = true
		all = append(all, summary)
		if _, ok := wire.Lookup(summary.Section); ok {
			summary.Message = ingest.Text(summary.Message)
			known = append(known, summary)
		}
	}
	if root := wire.InventoryRoot(all); !bytes.Equal(root[:], checkIn.GetInventoryRoot()) {
		return nil, invalid("the inventory root does not match the summaries")
	}
	return known, nil
}

// wanted returns the request for the sections that the collector does not have.
func wanted(summaries []wire.Summary, states map[string]inventory.SectionState, readings bool) *inventoryv1.Want {
	ask := &inventoryv1.Want{Readings: readings}
	for _, summary := range summaries {
		state := states[summary.Section]
		switch {
		case !summary.Status.Collected():
		case !state.Collected:
			ask.Sections = append(ask.Sections, &inventoryv1.WantSection{Section: summary.Section})
		case summary.Status.Complete() && state.Superset:
			// The stored set may have items that a partial section could not remove. Only the full
			// section shows which still exist.
			ask.Sections = append(ask.Sections, &inventoryv1.WantSection{Section: summary.Section})
		case state.Root != summary.Root:
			ask.Sections = append(
				ask.Sections, &inventoryv1.WantSection{Section: summary.Section, BaseRoot: state.Root[:]},
			)
		}
	}
	return ask
}

func want(w *inventoryv1.Want) *inventoryv1.CollectorMessage {
	return &inventoryv1.CollectorMessage{Kind: &inventoryv1.CollectorMessage_Want{Want: w}}
}
