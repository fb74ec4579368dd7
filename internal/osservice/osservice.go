// Package osservice connects a program to the service manager of its system: systemd, OpenRC or
// System V on Linux, launchd on macOS, the service control manager on Windows. Definition registers
// and controls the service; Run is called by the program that the service manager starts. Start
// reading at Definition.
package osservice

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/kardianos/service"
)

// Definition describes a service.
type Definition struct {
	Name        string
	DisplayName string
	Description string
	Arguments   []string // of the program, which is the running executable
	// Unit, OpenRC and Launchd are the service definitions for systemd, OpenRC and launchd. They
	// name the program Program, the last one LaunchdProgram; Install writes the path of the
	// executable instead.
	Unit, OpenRC, Program   string
	Launchd, LaunchdProgram string
}

// ExitNoRestart is the exit code of a program that a restart cannot help, EX_CONFIG of sysexits.h.
// The service managers do not restart the service after it.
const ExitNoRestart = 78

// State is the state of a service.
type State string

// The states of a service.
const (
	Running      State = "running"
	Stopped      State = "stopped"
	Failed       State = "failed"
	NotInstalled State = "not installed"
)

// Install registers the service, which the system then starts at boot. It does not start it now.
// It refuses an executable that a user without the rights of an administrator could replace.
func (d Definition) Install() error {
	program, err := os.Executable()
	if err != nil {
		return fmt.Errorf("find the executable: %w", err)
	}
	if program, err = filepath.EvalSymlinks(program); err != nil {
		return fmt.Errorf("find the executable: %w", err)
	}
	if err := checkProtected(program); err != nil {
		return err
	}
	manager, err := d.manager(program)
	if err != nil {
		return err
	}
	switch state, err := stateOf(manager); {
	case err != nil:
		return err
	case state != NotInstalled:
		return fmt.Errorf("the service %s is already installed (%s)", d.Name, state)
	}
	if err := manager.Install(); err != nil {
		return err
	}
	return finishInstall(d.Name)
}

// Uninstall stops the service and removes its registration. The files of the program stay.
func (d Definition) Uninstall() error {
	manager, err := d.manager("")
	if err != nil {
		return err
	}
	state, err := stateOf(manager)
	switch {
	case err != nil:
		return err
	case state == NotInstalled:
		return fmt.Errorf("the service %s is not installed", d.Name)
	case state == Running:
		if err := manager.Stop(); err != nil {
			return err
		}
	}
	return manager.Uninstall()
}

// Start starts the service.
func (d Definition) Start() error { return d.control(service.Service.Start) }

// Stop stops the service.
func (d Definition) Stop() error { return d.control(service.Service.Stop) }

// Restart stops the service and starts it again.
func (d Definition) Restart() error { return d.control(service.Service.Restart) }

// State returns the state of the service.
func (d Definition) State() (State, error) {
	manager, err := d.manager("")
	if err != nil {
		return "", err
	}
	return stateOf(manager)
}

func (d Definition) control(action func(service.Service) error) error {
	manager, err := d.manager("")
	if err != nil {
		return err
	}
	return action(manager)
}

// manager returns the service manager's view of the service. program is needed to install only.
func (d Definition) manager(program string) (service.Service, error) {
	manager, err := service.New(noProgram{}, d.config(program))
	if errors.Is(err, service.ErrNoServiceSystemDetected) {
		return nil, errors.New("no supported service manager: this system has none of systemd, OpenRC, " +
			"System V, launchd and the Windows service control manager")
	}
	return manager, err
}

// noProgram stands for the program, which Run runs without the library.
type noProgram struct{}

func (noProgram) Start(service.Service) error { return nil }

func (noProgram) Stop(service.Service) error { return nil }

func stateOf(manager service.Service) (State, error) {
	status, err := manager.Status()
	switch {
	case errors.Is(err, service.ErrNotInstalled):
		return NotInstalled, nil
	// The library has no error value for it.
	case err != nil && err.Error() == "service in failed state":
		return Failed, nil
	case err != nil:
		return "", fmt.Errorf("request the state of the service: %w", err)
	case status == service.StatusRunning:
		return Running, nil
	}
	return Stopped, nil
}
