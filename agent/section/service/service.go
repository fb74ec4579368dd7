// Package service collects the section "service": the services that the machine's service manager
// can start. It reads unit files and the scripts of SysV and OpenRC as text and asks a running
// systemd for their states. On Windows it asks the service manager and reads the registry; on macOS
// it reads the property lists of launchd. It never starts or stops a service. Start reading at
// collect.
//
// A systemd service has the name of its unit, "ssh.service"; a script has the name of its file. An
// alias is not a service of its own. A template is a service only for the instances that links make
// of it.
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

// Collector returns the collector of the section service.
func Collector() section.Collector {
	return section.Collector{Name: "service", Collect: collect}
}

func collect(ctx context.Context, h *host.Host) ([]proto.Message, error) {
	if h.IsMac() {
		services, err := ofLaunchd(ctx, h)
		return messages(services), err
	}
	if services, err := ofWindows(ctx, h); !errors.Is(err, host.ErrUnsupported) {
		return messages(services), err
	}
	u := readUnits(ctx, h)
	services := u.services()
	errs := u.errs
	scripts, err := scripts(h, u)
	if err != nil {
		errs = append(errs, err)
	}
	if len(services) == 0 && len(scripts) == 0 && len(errs) == 0 {
		return nil, fmt.Errorf("no known service manager: %w", host.ErrUnsupported)
	}
	setStates(ctx, h, services)

	return messages(append(services, scripts...)), errors.Join(errs...)
}

func messages(services []*inventoryv1.Service) []proto.Message {
	items := make([]proto.Message, len(services))
	for i, service := range services {
		items[i] = service
	}
	return items
}

// names indexes services by name.
func names(services []*inventoryv1.Service) map[string]*inventoryv1.Service {
	byName := make(map[string]*inventoryv1.Service, len(services))
	for _, service := range services {
		byName[service.Name] = service
	}
	return byName
}
