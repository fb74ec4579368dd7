package main

import (
	"os"
	"path/filepath"
	"runtime"
)

// stateFlag says where the agent keeps what it remembers.
type stateFlag struct {
	State string `placeholder:"DIR" default:"${state_dir}" help:"Where the agent keeps its key and what it remembers (${default})."`
}

// defaultStateDir is where an installed agent keeps its state.
func defaultStateDir() string {
	switch runtime.GOOS {
	case "windows":
		return filepath.Join(os.Getenv("ProgramData"), "Muster")
	case "darwin":
		return "/Library/Application Support/Muster"
	default:
		return "/var/lib/muster-agent"
	}
}
