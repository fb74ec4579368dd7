package osservice

import (
	"fmt"
	"time"
	"unsafe"

	"golang.org/x/sys/windows"
	"golang.org/x/sys/windows/svc/mgr"
)

// The pauses before the restarts of a failed service, the last one also before all further ones,
// and the time after which the first one applies again.
const (
	firstRestart, secondRestart, laterRestart = 10 * time.Second, time.Minute, 15 * time.Minute
	forgetFailures                            = 24 * time.Hour
)

// finishInstall configures the service that Install has registered.
func finishInstall(name string) error { return configure(name) }

// configure makes the service manager restart the service after a failure, and start it some time
// after the boot where it supports that. The service calls it too, because an installer can only
// register a service.
func configure(name string) error {
	text, err := windows.UTF16PtrFromString(name)
	if err != nil {
		return err
	}
	manager, err := windows.OpenSCManager(nil, nil, windows.SC_MANAGER_CONNECT)
	if err != nil {
		return fmt.Errorf("open the service control manager: %w", err)
	}
	defer func() { _ = windows.CloseServiceHandle(manager) }()
	// To restart a service is to start it, which needs a right of its own.
	const rights = windows.SERVICE_CHANGE_CONFIG | windows.SERVICE_QUERY_CONFIG | windows.SERVICE_START
	handle, err := windows.OpenService(manager, text, rights)
	if err != nil {
		return fmt.Errorf("open the service %s: %w", name, err)
	}
	service := &mgr.Service{Name: name, Handle: handle}
	defer func() { _ = service.Close() }()
	err = service.SetRecoveryActions([]mgr.RecoveryAction{
		{Type: mgr.ServiceRestart, Delay: firstRestart},
		{Type: mgr.ServiceRestart, Delay: secondRestart},
		{Type: mgr.ServiceRestart, Delay: laterRestart},
	}, uint32(forgetFailures/time.Second))
	if err != nil {
		return fmt.Errorf("set the recovery actions of the service %s: %w", name, err)
	}
	// Wine refuses both. Without them a crash still restarts the service, and a start without delay
	// serves as well.
	_ = service.SetRecoveryActionsOnNonCrashFailures(true)
	delayed := windows.SERVICE_DELAYED_AUTO_START_INFO{IsDelayedAutoStartUp: 1}
	_ = windows.ChangeServiceConfig2(handle, windows.SERVICE_CONFIG_DELAYED_AUTO_START_INFO,
		(*byte)(unsafe.Pointer(&delayed))) //nolint:gosec // the form of the system call
	return nil
}
