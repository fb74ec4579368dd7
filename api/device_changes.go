package api

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/musterhq/muster/internal/inventory"
)

// DeviceChangesInput asks for the changes of a device.
type DeviceChangesInput struct {
	DevicePath

	Section string `query:"section" maxLength:"100" doc:"Only changes in this section."`
	Since   Moment `query:"since" format:"date-time" doc:"Only changes at this instant (RFC 3339) or later."`
	Until   Moment `query:"until" format:"date-time" doc:"Only changes before this instant (RFC 3339)."`
	ListParams
}

// Change is one change of an item of a device.
type Change struct {
	At         time.Time `json:"at" doc:"When the collector received the change."`
	Section    string    `json:"section"`
	Action     string    `json:"action" enum:"added,changed,removed,installed,upgraded,downgraded" doc:"Software is installed, upgraded, downgraded, changed or removed; other items are added, changed or removed."`
	Item       string    `json:"item" doc:"The key of the item within its section."`
	Name       string    `json:"name,omitempty" doc:"Only of software."`
	OldVersion string    `json:"old_version,omitempty" doc:"Only of software."`
	NewVersion string    `json:"new_version,omitempty" doc:"Only of software."`
	Old        Item      `json:"old,omitempty" doc:"The item before the change. Absent if it was added."`
	New        Item      `json:"new,omitempty" doc:"The item after the change. Absent if it was removed."`
}

func (s *server) registerDeviceChanges() {
	changes := tableOf[Change]()
	op := s.operation(http.MethodGet, "/api/v1/devices/{id}/changes", "list-device-changes", "Devices",
		"List the changes of a device")
	op.Description = "The newest change first. The first collection of a section is not a change."
	handleList(s, op, func(_ context.Context, in *DeviceChangesInput) (listing[Change], error) {
		if _, ok := s.sections[in.Section]; !ok && in.Section != "" {
			return listing[Change]{}, s.noSection(in.Section)
		}
		query := inventory.ChangeQuery{Device: in.ID, Section: in.Section, Since: in.Since.Time, Until: in.Until.Time}
		return listing[Change]{
			params: &in.ListParams, name: "device-changes", table: changes,
			read: func(ctx context.Context, page inventory.Page, visit inventory.Visit[Change]) error {
				query.Page = page
				return s.Store.ListDeviceChanges(
					ctx,
					query,
					func(row inventory.ItemChange, at inventory.Position) error {
						change, err := s.change(row)
						if err != nil {
							return err
						}
						return visit(change, at)
					},
				)
			},
		}, nil
	})
}

// change returns a change of facts with its action and names.
func (s *server) change(row inventory.ItemChange) (Change, error) {
	c := Change{At: row.At, Section: row.Section, Old: Item(row.Old), New: Item(row.New)}
	before, after, named, err := factsOfChange(row.Old, row.New)
	if err != nil {
		return c, err
	}
	c.Item = itemName(named, s.sections[row.Section])
	if row.Section == softwareSection {
		c.Name, c.OldVersion, c.NewVersion = named.text("name"), before.text("version"), after.text("version")
		c.Action = s.softwareChange(named.text("source"), before, after)
		return c, nil
	}
	c.Action = itemChange(before, after)
	return c, nil
}

// facts are the facts of an item by name; nil if the item does not exist.
type facts map[string]json.RawMessage

// text returns a fact as people read it: a string without quotes, "" for an absent fact.
func (f facts) text(name string) string {
	var text string
	if json.Unmarshal(f[name], &text) == nil {
		return text
	}
	return string(f[name])
}

func factsOf(encoded json.RawMessage) (facts, error) {
	var f facts
	if encoded == nil {
		return f, nil
	}
	if err := json.Unmarshal(encoded, &f); err != nil {
		return nil, fmt.Errorf("read facts of a change: %w", err)
	}
	return f, nil
}

// factsOfChange decodes an item before and after a change; named is the later one that exists.
func factsOfChange(was, is json.RawMessage) (before, after, named facts, err error) {
	if before, err = factsOf(was); err != nil {
		return nil, nil, nil, err
	}
	if after, err = factsOf(is); err != nil {
		return nil, nil, nil, err
	}
	if after == nil {
		return before, after, before, nil
	}
	return before, after, after, nil
}

// itemName returns the key fields of an item, or the section's name if the section has no key.
func itemName(f facts, section Section) string {
	var words []string
	for _, key := range section.Keys {
		if word := f.text(key); word != "" {
			words = append(words, word)
		}
	}
	if len(words) == 0 {
		return section.Name
	}
	return strings.Join(words, " ")
}

func itemChange(before, after facts) string {
	switch {
	case before == nil:
		return "added"
	case after == nil:
		return "removed"
	default:
		return "changed"
	}
}

func (s *server) softwareChange(source string, before, after facts) string {
	if before == nil {
		return "installed"
	}
	if after == nil {
		return "removed"
	}
	order, known := s.CompareVersions(source, before.text("version"), after.text("version"))
	switch {
	case known && order < 0:
		return "upgraded"
	case known && order > 0:
		return "downgraded"
	default:
		return "changed"
	}
}
