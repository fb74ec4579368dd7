package host

import "context"

// SystemdUnit is a unit that systemd has loaded, in systemd's terms (org.freedesktop.systemd1(5)).
type SystemdUnit struct {
	Name   string // e.g. "ssh.service"
	Active string // e.g. "active", "inactive", "failed"
	Sub    string // e.g. "running", "exited", "dead"
}

// SystemdServices returns the services that the running systemd has loaded.
func (h *Host) SystemdServices(ctx context.Context) ([]SystemdUnit, error) {
	return ask(h, "systemd services", "", func() ([]SystemdUnit, error) { return systemdServices(ctx, systemBus) })
}

// systemBus is the address of the system bus (D-Bus specification, "Well-known Message Bus
// Instances").
const systemBus = "unix:path=/run/dbus/system_bus_socket"
