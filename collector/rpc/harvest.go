package rpc

import (
	"slices"
	"time"

	"github.com/musterhq/muster/internal/ingest"
	"github.com/musterhq/muster/internal/inventory"
	"github.com/musterhq/muster/internal/wire"
	inventoryv1 "github.com/musterhq/muster/proto/muster/inventory/v1"
)

// harvest collects the updates that an agent sends during one check-in.
type harvest struct {
	updates map[string]*ingest.Update
	held    int64     // bytes taken from Server.budget
	until   time.Time // when the agent must have sent everything
}

// list returns the updates in the order of their sections' names, so that the order of arrival does
// not matter.
func (h *harvest) list() []*ingest.Update {
	names := make([]string, 0, len(h.updates))
	for name := range h.updates {
		names = append(names, name)
	}
	slices.Sort(names)
	updates := make([]*ingest.Update, len(names))
	for i, name := range names {
		updates[i] = h.updates[name]
	}
	return updates
}

// harvest receives updates until the agent commits.
func (c *conversation) harvest(h *harvest, ask *inventoryv1.Want) error {
	requested := map[string]bool{}
	for _, s := range ask.GetSections() {
		requested[s.GetSection()] = true
	}
	unended := ""
	for {
		message, err := c.next(min(progressTimeout, time.Until(h.until)))
		if err != nil {
			return err
		}
		switch {
		case message.GetCommit() != nil && unended != "":
			return invalid("section " + unended + " is incomplete")
		case message.GetCommit() != nil:
			return h.complete(ask)
		case message.GetUpdate() == nil:
			return invalid("expected an update or a commit")
		}
		update := message.GetUpdate()
		if unended != "" && update.GetSection() != unended {
			return invalid("section " + unended + " is incomplete")
		}
		if !requested[update.GetSection()] && !(update.GetReadingsOnly() && ask.GetReadings()) {
			return invalid("section " + ingest.Text(update.GetSection()) + " was not requested")
		}
		if err := c.add(h, update); err != nil {
			return err
		}
		unended = ""
		if !update.GetLast() {
			unended = update.GetSection()
		}
	}
}

// complete returns an error if a requested section is missing.
func (h *harvest) complete(ask *inventoryv1.Want) error {
	for _, s := range ask.GetSections() {
		if h.updates[s.GetSection()] == nil {
			return invalid("section " + s.GetSection() + " was requested but not sent")
		}
	}
	return nil
}

// add adds one chunk, unless the agent or all agents together would occupy too much memory.
func (c *conversation) add(h *harvest, message *inventoryv1.Update) error {
	u := h.updates[message.GetSection()]
	if u == nil {
		section, ok := wire.Lookup(message.GetSection())
		if !ok {
			return invalid("section " + ingest.Text(message.GetSection()) + " is unknown")
		}
		u = &ingest.Update{Section: section, ReadingsOnly: true, Take: func(bytes int64) error {
			if err := c.server.budget.take(c.record.ID, bytes); err != nil {
				return err
			}
			h.held += bytes
			return nil
		}}
		h.updates[section.Name] = u
	}
	if !message.GetReadingsOnly() {
		u.ReadingsOnly = false
		took := time.Duration(message.GetDurationMs()) * time.Millisecond
		u.Duration = &took
		copy(u.Root[:], message.GetRoot())
		if base := message.GetBaseRoot(); len(base) == len(inventory.Root{}) {
			u.Base = (*inventory.Root)(base)
		}
	}

	return c.server.decoder.Add(u, message.GetItems())
}
