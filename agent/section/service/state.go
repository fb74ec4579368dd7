package service

import (
	"context"
	"strings"
	"time"

	"github.com/musterhq/muster/agent/host"
	inventoryv1 "github.com/musterhq/muster/proto/muster/inventory/v1"
)

// busTimeout bounds the call to systemd. The state is a reading, so the inventory does not wait for
// it.
const busTimeout = time.Second

// setStates sets the states of the services: from systemd, else by the control groups that contain
// processes.
func setStates(ctx context.Context, h *host.Host, services []*inventoryv1.Service) {
	if len(services) == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, busTimeout)
	defer cancel()
	loaded, err := h.SystemdServices(ctx)
	if err != nil {
		setRunning(h, services)
		return
	}
	states := make(map[string]string, len(loaded))
	for _, unit := range loaded {
		states[unit.Name] = state(unit)
	}
	for _, service := range services {
		service.State = states[service.Name]
		if service.State == "" {
			service.State = stopped // systemd unloads units that are not in use
		}
	}
}

const (
	running = "running"
	stopped = "stopped"
)

// state maps systemd's two states to the single one that other service managers have.
func state(unit host.SystemdUnit) string {
	switch {
	case unit.Active == "active":
		return unit.Sub // "running", or "exited" for a finished task
	case unit.Active == "inactive":
		return stopped
	default: // "failed", "activating", "deactivating", "reloading"
		return unit.Active
	}
}

// cgroupRoots are the directories of systemd's service control groups in the unified and the legacy
// hierarchy (cgroups(7)).
var cgroupRoots = []string{"/sys/fs/cgroup/system.slice", "/sys/fs/cgroup/systemd/system.slice"}

func setRunning(h *host.Host, services []*inventoryv1.Service) {
	byName := names(services)
	for _, root := range cgroupRoots {
		entries, err := h.ReadDir(root)
		if err != nil {
			continue
		}
		for _, entry := range entries {
			switch name := entry.Name(); {
			case strings.HasSuffix(name, ".service"):
				markRunning(h, byName, root, name)
			case strings.HasSuffix(name, ".slice"): // holds the instances of a template
				for _, inner := range instances(h, root+"/"+name) {
					markRunning(h, byName, root+"/"+name, inner)
				}
			}
		}
		return
	}
}

func instances(h *host.Host, slice string) []string {
	entries, err := h.ReadDir(slice)
	if err != nil {
		return nil
	}
	var found []string
	for _, entry := range entries {
		if strings.HasSuffix(entry.Name(), ".service") {
			found = append(found, entry.Name())
		}
	}
	return found
}

func markRunning(h *host.Host, services map[string]*inventoryv1.Service, slice, name string) {
	service := services[unescape(name)]
	if service == nil {
		return
	}
	if h.Attribute(slice+"/"+name+"/cgroup.procs") != "" {
		service.State = running
	}
}

// unescape removes the underscore that precedes a name that would clash with the kernel's own
// files.
func unescape(name string) string { return strings.TrimPrefix(name, "_") }
