package api

import (
	"context"
	"net/http"
	"strings"
	"time"

	"github.com/musterhq/muster/internal/inventory"
)

type deviceStore interface {
	ListDevices(ctx context.Context, q inventory.DeviceQuery, visit inventory.Visit[inventory.Device]) error
	Device(ctx context.Context, id string, asOf time.Time) (inventory.Device, []inventory.DeviceAgent, error)
}

// DevicesInput asks for a list of devices.
type DevicesInput struct {
	ListParams

	Search  string `query:"search" maxLength:"200" doc:"A substring of the name, serial number or model, case-insensitive."`
	Class   string `query:"class" maxLength:"100" doc:"Only devices of this class, e.g. computer."`
	OrderBy string `query:"order_by" pattern:"^(name|class|manufacturer|model|serial_number|uuid|os_name|os_version|first_seen)( (asc|desc))?$" patternDescription:"one of name, class, manufacturer, model, serial_number, uuid, os_name, os_version and first_seen, and desc for descending order" default:"name" doc:"A field, and desc for descending order."`
}

func (s *server) registerDevices() {
	devices := tableOf[inventory.Device]()
	op := s.operation(http.MethodGet, "/api/v1/devices", "list-devices", "Devices", "List devices")
	op.Description = "The CIs of the class computer and of the classes below it, with their most used attributes. " +
		"E.g. ?search=thinkpad&order_by=model."
	handleList(s, op, func(_ context.Context, in *DevicesInput) (listing[inventory.Device], error) {
		column, direction, _ := strings.Cut(in.OrderBy, " ")
		query := inventory.DeviceQuery{
			Search: in.Search, Class: in.Class, OrderBy: column, Descending: direction == "desc",
		}
		return listing[inventory.Device]{
			params: &in.ListParams, name: "devices", table: devices,
			read: func(ctx context.Context, page inventory.Page, visit inventory.Visit[inventory.Device]) error {
				query.Page = page
				return s.Store.ListDevices(ctx, query, visit)
			},
		}, nil
	})
}
