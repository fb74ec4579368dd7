package main

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/musterhq/muster/api"
	"github.com/musterhq/muster/internal/catalog"
	"github.com/musterhq/muster/internal/ingest"
	"github.com/musterhq/muster/internal/inventory"
	"github.com/musterhq/muster/internal/pki"
	"github.com/musterhq/muster/internal/reconcile"
	"github.com/musterhq/muster/internal/store"
	"github.com/musterhq/muster/internal/wire"
)

// agentAddr returns the host:port that agents connect to.
func (c *collector) agentAddr() string {
	if c.flags.AgentAddr != "" {
		return c.flags.AgentAddr
	}
	return c.grpcAddr
}

func (c *collector) apiOptions(authority *pki.Authority, ingester *ingest.Ingester) api.Options {
	precedence := reconcile.DefaultPrecedence()
	return api.Options{
		Store:           c.store,
		Sections:        sections(c.logger),
		CompareVersions: catalog.CompareVersions,
		ObservationState: func(ci inventory.CIDetails, now time.Time) string {
			return precedence.ObservationState(ci, now, c.flags.CheckInInterval)
		},
		Version:            version(),
		NewEnrollmentToken: func() string { return pki.NewToken(pki.EnrollPrefix) },
		HashToken:          pki.HashToken,
		CAPin:              authority.Pin(),
		EnrollCommand: func(token string) string {
			return fmt.Sprintf("muster-agent enroll --collector %s --token %s --ca-pin %s",
				c.agentAddr(), token, authority.Pin())
		},
		Import: ingester.Import,
		Ready:  c.ready,
		Alive:  c.alive, Outage: c.store.Outage, Unavailable: store.Unavailable,
		Logger: c.logger,
	}
}

// ready reports to a load balancer whether this collector can serve requests.
func (c *collector) ready(ctx context.Context) error {
	if c.draining.Load() {
		return &inventory.Error{Code: inventory.CodeUnavailable, Message: "the collector is stopping"}
	}
	if err := c.store.Ready(ctx); err != nil {
		return err
	}
	return c.accepting()
}

// alive reports whether the collector can go on without a person's help.
func (c *collector) alive() error {
	if c.cluster == nil || c.cluster.Err() == nil {
		return nil
	}
	return &inventory.Error{
		Code:    inventory.CodeUnavailable,
		Message: "the private PostgreSQL ended and cannot be restarted; the collector's log has the reason",
	}
}

// accepting returns an error while inventories cannot be stored.
func (c *collector) accepting() error {
	if err := c.store.Outage(); err != nil {
		return err
	}
	return c.disk.err()
}

// sections describes the sections of the .proto for the API.
func sections(logger *slog.Logger) []api.Section {
	var list []api.Section
	pci, usb := pciBus.names(logger), usbBus.names(logger)
	for _, s := range wire.Sections() {
		described := api.Section{
			Name: s.Name, Columns: s.Fields(), Keys: s.Keys(),
			Readings: func(encoded []byte) ([]byte, error) {
				m, err := s.Decode(encoded)
				if err != nil {
					return nil, err
				}
				return s.AppendReadings(nil, m), nil
			},
		}
		switch fields := s.Fields(); {
		case slices.Contains(fields, pciBus.field) && slices.Contains(fields, "subsystem_id"):
			described.Named = catalog.DeviceNameFields
			described.Names = func(facts []byte) []byte { return pci.Names(facts, pciBus.field) }
		case slices.Contains(fields, usbBus.field):
			described.Named = catalog.DeviceNameFields
			described.Names = func(facts []byte) []byte { return usb.Names(facts, usbBus.field) }
		}
		list = append(list, described)
	}
	return list
}
