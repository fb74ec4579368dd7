package api

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/musterhq/muster/internal/inventory"
)

type softwareStore interface {
	ListSoftware(ctx context.Context, q inventory.SoftwareQuery, visit inventory.Visit[inventory.Software]) error
	Software(ctx context.Context, id int32, asOf time.Time) (inventory.Software, error)
	ListSoftwareDevices(
		ctx context.Context, q inventory.SoftwareDevicesQuery, visit inventory.Visit[inventory.Device],
	) error
}

// SoftwareListInput asks for a list of software.
type SoftwareListInput struct {
	ListParams

	Search             string `query:"search" maxLength:"200" doc:"Words. The name or the publisher must contain each of them, case-insensitive."`
	IncludeUninstalled bool   `query:"include_uninstalled" doc:"Include software that no device has any more."`
}

// SoftwarePath names a software.
type SoftwarePath struct {
	ID int32 `path:"id" minimum:"1" maximum:"2147483647" doc:"The software's id."`
}

// SoftwareInput asks for a software.
type SoftwareInput struct {
	SoftwarePath
	Instant
}

// SoftwareDetails is one software with the instant of the answer.
type SoftwareDetails struct {
	inventory.Software

	AsOf *time.Time `json:"as_of,omitempty" doc:"The as_of of the request."`
}

// SoftwareOutput answers with a software.
type SoftwareOutput struct{ Body SoftwareDetails }

// SoftwareDevicesInput asks for the devices that have a software.
type SoftwareDevicesInput struct {
	SoftwarePath
	ListParams
}

// maxWords bounds the words of one search.
const maxWords = 8

func (s *server) registerSoftware() {
	titles := tableOf[inventory.Software]()
	list := s.operation(http.MethodGet, "/api/v1/software", "list-software", "Software", "List software")
	list.Description = "Each name, version, publisher and source that a device has, by name, with the number of " +
		"installations."
	handleList(s, list, func(_ context.Context, in *SoftwareListInput) (listing[inventory.Software], error) {
		words := strings.Fields(in.Search)
		if len(words) > maxWords {
			return listing[inventory.Software]{}, invalid(
				"query.search", fmt.Sprintf("the search has too many words; send at most %d", maxWords),
			)
		}
		query := inventory.SoftwareQuery{Words: words, IncludeUninstalled: in.IncludeUninstalled}
		return listing[inventory.Software]{
			params: &in.ListParams, name: "software", table: titles,
			read: func(ctx context.Context, page inventory.Page, visit inventory.Visit[inventory.Software]) error {
				query.Page = page
				return s.Store.ListSoftware(ctx, query, visit)
			},
		}, nil
	})

	get := s.operation(http.MethodGet, "/api/v1/software/{id}", "get-software", "Software", "Get a software")
	get.Description = "With the number of installations."
	handle(s, get, func(ctx context.Context, in *SoftwareInput) (*SoftwareOutput, error) {
		asOf, err := s.asOf(ctx, in.Instant)
		if err != nil {
			return nil, err
		}
		software, err := s.Store.Software(ctx, in.ID, asOf)
		if err != nil {
			return nil, err
		}
		return &SoftwareOutput{Body: SoftwareDetails{Software: software, AsOf: echo(asOf)}}, nil
	})

	deviceTable := tableOf[inventory.Device]()
	devices := s.operation(http.MethodGet, "/api/v1/software/{id}/devices", "list-software-devices", "Software",
		"List the devices that have a software")
	devices.Description = "In the order of enrollment."
	handleList(s, devices, func(_ context.Context, in *SoftwareDevicesInput) (listing[inventory.Device], error) {
		query := inventory.SoftwareDevicesQuery{Software: in.ID}
		return listing[inventory.Device]{
			params: &in.ListParams, name: "software-devices", table: deviceTable,
			read: func(ctx context.Context, page inventory.Page, visit inventory.Visit[inventory.Device]) error {
				query.Page = page
				return s.Store.ListSoftwareDevices(ctx, query, visit)
			},
		}, nil
	})
}
