package api

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/musterhq/muster/internal/inventory"
)

// DevicePath names a device.
type DevicePath struct {
	ID string `path:"id" format:"uuid" doc:"The device's id."`
}

// Resolve makes the id canonical. huma calls it after it has checked that the id is a UUID.
func (p *DevicePath) Resolve(huma.Context) []error {
	p.ID = canonicalID(p.ID)
	return nil
}

// DeviceInput asks for a device.
type DeviceInput struct {
	DevicePath
	Instant
}

// DeviceDetails is a device with its agents.
type DeviceDetails struct {
	inventory.Device

	Agents []inventory.DeviceAgent `json:"agents" nullable:"false" doc:"The agents that report on the device."`
	AsOf   *time.Time              `json:"as_of,omitempty" doc:"The as_of of the request."`
}

// DeviceOutput answers with a device.
type DeviceOutput struct{ Body DeviceDetails }

// RevokeDeviceInput revokes the agents of a device.
type RevokeDeviceInput struct {
	DevicePath

	Body struct {
		Reason string `json:"reason" minLength:"1" maxLength:"500" doc:"Why you make the change. It is kept in the history."`
	}
}

func (s *server) registerDevice() {
	get := s.operation(http.MethodGet, "/api/v1/devices/{id}", "get-device", "Devices", "Get a device")
	get.Description = "With the agents that report on it. A device is a CI with the same id: /api/v1/cis/{id} has " +
		"the source of each value."
	handle(s, get, func(ctx context.Context, in *DeviceInput) (*DeviceOutput, error) {
		asOf, err := s.asOf(ctx, in.Instant)
		if err != nil {
			return nil, err
		}
		return s.device(ctx, in.ID, asOf)
	})

	revoke := s.operation(
		http.MethodPost, "/api/v1/devices/{id}/revoke", "revoke-device", "Devices", "Revoke a device's agents",
	)
	revoke.Description = "The collector rejects all agents that report on the device now, with all agents that were " +
		`forked from them, and ends their connections within 2 s. Their reports stay. E.g. {"reason": "stolen"}.`
	handle(s, revoke, func(ctx context.Context, in *RevokeDeviceInput) (*DeviceOutput, error) {
		if err := checkText("body.reason", in.Body.Reason); err != nil {
			return nil, err
		}
		_, agents, err := s.Store.Device(ctx, in.ID, time.Time{})
		if err != nil {
			return nil, err
		}
		ids := make([]string, len(agents))
		for i, agent := range agents {
			ids[i] = agent.AgentID
		}
		if err := s.Store.RevokeAgents(ctx, ids, actor(ctx, in.Body.Reason)); err != nil {
			return nil, err
		}
		return s.device(ctx, in.ID, time.Time{})
	})
}

func (s *server) device(ctx context.Context, id string, asOf time.Time) (*DeviceOutput, error) {
	device, agents, err := s.Store.Device(ctx, id, asOf)
	if err != nil {
		return nil, err
	}
	return &DeviceOutput{Body: DeviceDetails{Device: device, Agents: agents, AsOf: echo(asOf)}}, nil
}

// checkText rejects text that PostgreSQL cannot store.
func checkText(location, text string) error {
	if hasNUL(text) {
		return invalid(location, "the text contains a NUL character; remove it")
	}
	return nil
}
