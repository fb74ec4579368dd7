package api

import (
	"context"
	"net/http"

	"github.com/musterhq/muster/internal/inventory"
)

// itemStore reads the sections, items and changes of devices.
type itemStore interface {
	ListDeviceSections(
		ctx context.Context, device string, page inventory.Page, visit inventory.Visit[inventory.DeviceSection],
	) error
	ListDeviceItems(ctx context.Context, q inventory.ItemQuery, visit inventory.Visit[inventory.HeldItem]) error
	ListDeviceChanges(ctx context.Context, q inventory.ChangeQuery, visit inventory.Visit[inventory.ItemChange]) error
}

// DeviceSectionsInput asks for the sections of a device.
type DeviceSectionsInput struct {
	DevicePath
	ListParams
}

func (s *server) registerDeviceSections() {
	sections := tableOf[inventory.DeviceSection]()
	op := s.operation(http.MethodGet, "/api/v1/devices/{id}/sections", "list-device-sections", "Devices",
		"List the sections of a device")
	op.Description = "The status of each section, its number of items, and how its collection ended."
	handleList(s, op, func(_ context.Context, in *DeviceSectionsInput) (listing[inventory.DeviceSection], error) {
		return listing[inventory.DeviceSection]{
			params: &in.ListParams, name: "device-sections", table: sections,
			read: func(ctx context.Context, page inventory.Page, visit inventory.Visit[inventory.DeviceSection]) error {
				return s.Store.ListDeviceSections(ctx, in.ID, page, visit)
			},
		}, nil
	})
}
