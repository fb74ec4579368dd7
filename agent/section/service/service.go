// Package service collects the section "service": what the machine's service manager can start. It reads unit
// files, SysV and OpenRC scripts as text and asks a running systemd which of them run; it starts and stops nothing.
//
// A systemd service is named as systemd does, "ssh.service", a script by its file. Aliases are not services of their
// own, and a template is one only as far as it is instantiated by a link.
package service

import (
	"context"
	"errors"
	"fmt"

	"google.golang.org/protobuf/proto"

	"github.com/musterhq/muster/agent/host"
	"github.com/musterhq/muster/agent/section"
	inventoryv1 "github.com/musterhq/muster/proto/muster/inventory/v1"
)

// Collector collects the services.
func Collector() section.Collector {
	return section.Collector{Name: "service", Collect: collect}
}

func collect(ctx context.Context, h *host.Host) ([]proto.Message, error) {
	u := readUnits(ctx, h)
	services := u.services()
	errs := u.errs
	scripts, err := scripts(h, u)
	if err != nil {
		errs = append(errs, err)
	}
	if len(services) == 0 && len(scripts) == 0 && len(errs) == 0 {
		return nil, fmt.Errorf("no service manager known here: %w", host.ErrUnsupported)
	}
	setStates(ctx, h, services)

	items := make([]proto.Message, 0, len(services)+len(scripts))
	for _, service := range append(services, scripts...) {
		items = append(items, service)
	}
	return items, errors.Join(errs...)
}

// names indexes services by their names.
func names(services []*inventoryv1.Service) map[string]*inventoryv1.Service {
	byName := make(map[string]*inventoryv1.Service, len(services))
	for _, service := range services {
		byName[service.Name] = service
	}
	return byName
}
