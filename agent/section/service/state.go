package service

import (
	"context"
	"strings"
	"time"

	"github.com/musterhq/muster/agent/host"
	inventoryv1 "github.com/musterhq/muster/proto/muster/inventory/v1"
)

// busPatience is how long systemd may take to answer. The state is a reading: the inventory does not wait for it.
const busPatience = time.Second

// setStates tells which services run: as systemd says, else by the control groups that have processes in them.
func setStates(ctx context.Context, h *host.Host, services []*inventoryv1.Service) {
	if len(services) == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, busPatience)
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
			service.State = stopped // systemd forgets units that are not in use
		}
	}
}

const (
	running = "running"
	stopped = "stopped"
)

// state puts systemd's two words into the one that other service managers have too.
func state(unit host.SystemdUnit) string {
	switch {
	case unit.Active == "active":
		return unit.Sub // "running", or "exited" of a task that is done
	case unit.Active == "inactive":
		return stopped
	default: // "failed", "activating", "deactivating", "reloading"
		return unit.Active
	}
}

// cgroupRoots are where systemd's control groups of services are, with one hierarchy and with several (cgroups(7)).
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
			case strings.HasSuffix(name, ".slice"): // of the instances of a template
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

// unescape undoes the underscore before names that would clash with the kernel's own files.
func unescape(name string) string { return strings.TrimPrefix(name, "_") }
