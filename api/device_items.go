package api

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/musterhq/muster/internal/inventory"
)

// DeviceItemsInput asks for the items of a section of a device.
type DeviceItemsInput struct {
	DevicePath

	Section string `path:"section" maxLength:"100" doc:"The section's name, e.g. memory."`
	ListParams
}

// DeviceSoftwareInput asks for the software of a device.
type DeviceSoftwareInput struct {
	DevicePath
	ListParams
}

// Item is an item of a section: a JSON object of its fields. Unknown fields are absent.
type Item json.RawMessage

// MarshalJSON returns the item unchanged.
func (i Item) MarshalJSON() ([]byte, error) { return i, nil }

// UnmarshalJSON copies the item unchanged.
func (i *Item) UnmarshalJSON(b []byte) error {
	*i = append((*i)[:0], b...)
	return nil
}

// Schema describes an item. Its fields depend on the section.
func (Item) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{
		Type:                 huma.TypeObject,
		AdditionalProperties: true,
		Description:          "An item with the fields of its section. Unknown fields are absent.",
	}
}

const (
	softwareSection = "software"
	softwareID      = "software_id"
)

func (s *server) registerDeviceItems() {
	items := s.operation(http.MethodGet, "/api/v1/devices/{id}/sections/{section}", "list-device-items", "Devices",
		"List the items of a section of a device")
	items.Description = "E.g. /api/v1/devices/{id}/sections/memory. The fields depend on the section. Unknown " +
		"fields are absent. PCI and USB devices also have vendor_name and device_name, from the databases pci.ids " +
		"and usb.ids of the collector's machine. Answers as of an instant have no such names, because they must " +
		"not change."
	handleList(s, items, func(_ context.Context, in *DeviceItemsInput) (listing[Item], error) {
		section, ok := s.sections[in.Section]
		if !ok {
			return listing[Item]{}, s.noSection(in.Section)
		}
		query := inventory.ItemQuery{Device: in.ID, Section: section.Name, OrderBy: section.Keys}
		return s.itemListing(&in.ListParams, "device-"+strings.ReplaceAll(section.Name, "_", "-"), section, query), nil
	})

	software := s.operation(http.MethodGet, "/api/v1/devices/{id}/software", "list-device-software", "Devices",
		"List the software of a device")
	software.Description = "The section software, by name. software_id is the id of the software under " +
		"/api/v1/software."
	handleList(s, software, func(_ context.Context, in *DeviceSoftwareInput) (listing[Item], error) {
		section := s.sections[softwareSection]
		query := inventory.ItemQuery{Device: in.ID, Section: softwareSection, OrderBy: softwareOrder(section.Keys)}
		return s.itemListing(&in.ListParams, "device-software", section, query), nil
	})
}

func (s *server) noSection(name string) error {
	names := make([]string, len(s.Sections))
	for i, section := range s.Sections {
		names[i] = section.Name
	}
	return &inventory.Error{
		Code:    inventory.CodeNotFound,
		Message: fmt.Sprintf("section %q does not exist; the sections are %s", name, strings.Join(names, ", ")),
	}
}

// softwareOrder sorts software by name and then by the other key fields.
func softwareOrder(keys []string) []string {
	order := []string{"name"}
	for _, key := range keys {
		if !slices.Contains(order, key) {
			order = append(order, key)
		}
	}
	return order
}

func (s *server) itemListing(
	params *ListParams, name string, section Section, query inventory.ItemQuery,
) listing[Item] {
	if !params.AsOf.IsZero() {
		section.Names, section.Named = nil, nil
	}
	columns := slices.Concat(section.Columns, section.Named)
	if section.Name == softwareSection {
		columns = append([]string{softwareID}, columns...)
	}
	return listing[Item]{
		params: params, name: name, table: itemTable(columns),
		read: func(ctx context.Context, page inventory.Page, visit inventory.Visit[Item]) error {
			query.Page = page
			return s.Store.ListDeviceItems(ctx, query, func(held inventory.HeldItem, at inventory.Position) error {
				item, err := section.item(held)
				if err != nil {
					return err
				}
				return visit(item, at)
			})
		},
	}
}

// item returns one JSON object with the software id, the facts, the readings and the names of an
// item.
func (s Section) item(held inventory.HeldItem) (Item, error) {
	var readings []byte
	if held.Readings != nil {
		var err error
		if readings, err = s.Readings(held.Readings); err != nil {
			return nil, fmt.Errorf("read readings of item %d: %w", held.ID, err)
		}
	}
	var software []byte
	if held.Software != 0 {
		software = strconv.AppendInt([]byte(`{"`+softwareID+`":`), int64(held.Software), 10)
		software = append(software, '}')
	}
	var names []byte
	if s.Names != nil {
		names = s.Names(held.Facts)
	}
	return joinObjects(software, held.Facts, readings, names), nil
}

// joinObjects joins JSON objects that have no field in common.
func joinObjects(objects ...[]byte) Item {
	joined := Item{'{'}
	for _, object := range objects {
		if len(object) <= len(`{}`) {
			continue
		}
		if len(joined) > 1 {
			joined = append(joined, ',')
		}
		joined = append(joined, object[1:len(object)-1]...)
	}
	return append(joined, '}')
}

// itemTable returns the CSV table of items with the given fields.
func itemTable(columns []string) table[Item] {
	return table[Item]{
		columns: columns,
		cells: func(cells []string, item Item) ([]string, error) {
			var fields map[string]json.RawMessage
			if err := json.Unmarshal(item, &fields); err != nil {
				return nil, fmt.Errorf("write item as CSV: %w", err)
			}
			for _, column := range columns {
				cells = append(cells, jsonCell(fields[column]))
			}
			return cells, nil
		},
	}
}
