package host

import (
	"context"
	"fmt"
	"os"
	"strconv"

	"github.com/godbus/dbus/v5"
)

// unitReply is one element of the reply to ListUnitsByPatterns. Only Name, Active and Sub are used.
type unitReply struct {
	Name, Description, Load, Active, Sub, Follower string
	Path                                           dbus.ObjectPath
	JobID                                          uint32
	JobType                                        string
	JobPath                                        dbus.ObjectPath
}

func systemdServices(ctx context.Context, bus string) ([]SystemdUnit, error) {
	conn, err := dbus.Connect(bus, dbus.WithContext(ctx), dbus.WithAuth(dbus.AuthExternal(strconv.Itoa(os.Geteuid()))))
	if err != nil {
		return nil, fmt.Errorf("connect to the system bus: %w", err)
	}
	defer func() { _ = conn.Close() }()

	manager := conn.Object("org.freedesktop.systemd1", "/org/freedesktop/systemd1")
	call := manager.CallWithContext(ctx, "org.freedesktop.systemd1.Manager.ListUnitsByPatterns", dbus.FlagNoAutoStart,
		[]string{}, []string{"*.service"})
	var units []unitReply
	if err := call.Store(&units); err != nil {
		return nil, fmt.Errorf("list systemd units: %w", err)
	}
	services := make([]SystemdUnit, len(units))
	for i, u := range units {
		services[i] = SystemdUnit{Name: u.Name, Active: u.Active, Sub: u.Sub}
	}
	return services, nil
}
