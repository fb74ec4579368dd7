package main

import (
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/musterhq/muster/installers"
	"github.com/musterhq/muster/internal/osservice"
)

// serviceName is the name of the agent's service in every service manager.
const serviceName = "muster-agent"

// agentService is the service that runs "muster-agent run".
var agentService = osservice.Definition{
	Name: serviceName, DisplayName: "Muster Agent",
	Description: "Inventories this machine for a Muster collector.",
	Arguments:   []string{"run"},
	Unit:        installers.AgentUnit, OpenRC: installers.AgentOpenRC, Program: installers.AgentProgram,
	Launchd: installers.AgentLaunchd, LaunchdProgram: installers.MacProgram,
}

// serviceCommand controls the agent's service.
type serviceCommand struct {
	Install   serviceInstall   `cmd:"" help:"Register this program as a service that starts at boot, and start it."`
	Uninstall serviceUninstall `cmd:"" help:"Stop the service and remove its registration. The agent's key and state stay."`
	Start     serviceStart     `cmd:"" help:"Start the service."`
	Stop      serviceStop      `cmd:"" help:"Stop the service until the next boot."`
	Restart   serviceRestart   `cmd:"" help:"Restart the service."`
	Status    serviceStatus    `cmd:"" help:"Print whether the service runs."`
}

// Help returns the text below the options.
func (serviceCommand) Help() string {
	return `The service managers are systemd, OpenRC and System V (Linux), launchd (macOS) and the service control
manager (Windows). All commands except status need the rights of an administrator. The packages of the agent register
the service themselves.`
}

type serviceInstall struct{}

// Run registers and starts the service. It reports a missing enrollment, because the service stops
// without one.
func (serviceInstall) Run(out io.Writer) error {
	if err := agentService.Install(); err != nil {
		return explainRights(err)
	}
	if _, err := fmt.Fprintf(out, "installed the service %s\n", serviceName); err != nil {
		return err
	}
	if err := agentService.Start(); err != nil {
		return fmt.Errorf("the service is installed but cannot be started: %w", err)
	}
	_, err := fmt.Fprintf(out, "started it; \"muster-agent status\" prints its enrollment and check-ins\n")
	return err
}

type serviceUninstall struct{}

// Run stops the service and removes its registration.
func (serviceUninstall) Run(out io.Writer) error {
	if err := agentService.Uninstall(); err != nil {
		return explainRights(err)
	}
	_, err := fmt.Fprintf(out, "removed the service %s\n", serviceName)
	return err
}

type serviceStart struct{}

// Run starts the service.
func (serviceStart) Run() error { return explainRights(agentService.Start()) }

type serviceStop struct{}

// Run stops the service.
func (serviceStop) Run() error { return explainRights(agentService.Stop()) }

type serviceRestart struct{}

// Run restarts the service.
func (serviceRestart) Run() error { return explainRights(agentService.Restart()) }

type serviceStatus struct{}

// The exit codes of "service status" that are not 0 are those of init scripts (LSB).
const (
	exitFailed       = 1
	exitStopped      = 3
	exitNotInstalled = 4
)

// Help returns the text below the options.
func (serviceStatus) Help() string {
	return `Exit codes:
  0  running
  1  failed, or the state is unknown
  3  stopped
  4  not installed`
}

// Run prints the state of the service.
func (serviceStatus) Run(out io.Writer) error {
	state, err := agentService.State()
	if err != nil {
		return explainRights(err)
	}
	if _, err := fmt.Fprintln(out, state); err != nil {
		return err
	}
	codes := map[osservice.State]int{
		osservice.Failed: exitFailed, osservice.Stopped: exitStopped, osservice.NotInstalled: exitNotInstalled,
	}
	if code, bad := codes[state]; bad {
		return exitError{fmt.Errorf("the service %s is %s", serviceName, state), code}
	}
	return nil
}

// explainRights adds what to do if the user may not control services.
func explainRights(err error) error {
	if errors.Is(err, os.ErrPermission) {
		return fmt.Errorf("%w; run the command as an administrator", err)
	}
	return err
}
