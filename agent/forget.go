package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/musterhq/muster/agent/state"
	"github.com/musterhq/muster/internal/osservice"
)

// forgetCommand deletes the state directory, for an uninstallation or an image.
type forgetCommand struct {
	stateFlag
	Uninstalled bool `help:"Do nothing while the service is installed. Installers use it: an upgrade keeps the service."`
}

// Help returns the text below the options.
func (forgetCommand) Help() string {
	return `The command deletes the state directory: the key and certificate of this machine, and what the collector has
acknowledged. On Windows and macOS it contains the settings too. It does nothing while another muster-agent runs, and
it does not touch a directory that other users can change. The collector keeps the device until an operator retires
it. Run the command before a disk becomes an image for other machines.`
}

// Run takes the lock of the state, so that no agent is running, and deletes the directory.
func (c forgetCommand) Run(out io.Writer) error {
	if c.Uninstalled {
		if service, err := agentService.State(); err != nil || service != osservice.NotInstalled {
			return errors.Join(err, fmt.Errorf("nothing deleted: the service is %s", service))
		}
	}
	s, err := state.Open(c.State)
	if err != nil {
		return err
	}
	if err := s.Close(); err != nil {
		return err
	}
	if err := deleteFolder(c.State); err != nil {
		return fmt.Errorf("delete the state directory: %w", err)
	}
	_, err = fmt.Fprintf(out, "deleted %s\n", c.State)
	return err
}

// deleteFolder deletes a folder of files. os.RemoveAll is not possible in Wine.
func deleteFolder(dir string) error {
	files, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, file := range files {
		if err := os.Remove(filepath.Join(dir, file.Name())); err != nil {
			return err
		}
	}
	return os.Remove(dir)
}
