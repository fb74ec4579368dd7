package main

import (
	"path/filepath"
	"runtime"

	"github.com/musterhq/muster/agent/host"
)

// stateFlag is the option for the state directory.
type stateFlag struct {
	State string `placeholder:"DIR" default:"${state_dir}" help:"The directory of the agent's key and state (${default})."`
}

// defaultStateDir returns the state directory of an installed agent.
func defaultStateDir() string {
	switch runtime.GOOS {
	case "windows":
		return filepath.Join(host.ProgramData(), "Muster")
	case "darwin":
		return "/Library/Application Support/Muster"
	default:
		return "/var/lib/muster-agent"
	}
}
