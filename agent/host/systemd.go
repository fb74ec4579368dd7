package host

import (
	"context"
	"fmt"
)

// SystemdUnit is a unit that systemd holds in memory, in systemd's words (org.freedesktop.systemd1(5)).
type SystemdUnit struct {
	Name   string // e.g. "ssh.service"
	Active string // e.g. "active", "inactive", "failed"
	Sub    string // e.g. "running", "exited", "dead"
}

// SystemdServices asks the running systemd for the services that it holds in memory.
func (h *Host) SystemdServices(ctx context.Context) ([]SystemdUnit, error) {
	if !h.Live() {
		return nil, fmt.Errorf("systemd of a tree: %w", ErrUnsupported)
	}
	return systemdServices(ctx, systemBus)
}

// systemBus is where the bus listens (D-Bus specification, "Well-known Message Bus Instances").
const systemBus = "unix:path=/run/dbus/system_bus_socket"
