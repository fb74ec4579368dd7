package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
)

// settingsFile returns the path of the file with an installed agent's settings.
func settingsFile() string {
	switch runtime.GOOS {
	case "windows", "darwin":
		return filepath.Join(defaultStateDir(), "agent.env")
	default:
		return "/etc/muster/agent.env"
	}
}

// loadSettings adds the settings in a file to the environment, whose own variables override them.
// The agent reads the file itself because not every service manager can. Without the file, or the
// right to read it, there are no settings: an ordinary user may still print an inventory.
func loadSettings(name string) error {
	text, err := os.ReadFile(name) //nolint:gosec // the settings of the agent
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrPermission) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read settings: %w", err)
	}
	settings, err := parseSettings(string(text))
	if err != nil {
		return fmt.Errorf("read settings: %s: %w", name, err)
	}
	for key, value := range settings {
		if _, set := os.LookupEnv(key); !set {
			if err := os.Setenv(key, value); err != nil {
				return fmt.Errorf("read settings: %s: %w", name, err)
			}
		}
	}
	return nil
}

// parseSettings reads lines of the form KEY=VALUE, of which the value may be in quotes. It accepts
// only the variables of the agent and those of a proxy, so that the file cannot change anything
// else of the process. An empty value is no value.
func parseSettings(text string) (map[string]string, error) {
	settings := map[string]string{}
	number := 0
	for line := range strings.Lines(strings.TrimPrefix(text, "\ufeff")) {
		number++
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") || strings.HasPrefix(line, ";") || strings.HasPrefix(line, "[") {
			continue // also the section headers of an INI file, which installers of Windows write
		}
		key, value, found := strings.Cut(line, "=")
		key, value = strings.TrimSpace(key), unquote(strings.TrimSpace(value))
		known := strings.HasPrefix(key, "MUSTER_") || key == "HTTPS_PROXY" || key == "NO_PROXY"
		switch {
		case !found || !known:
			return nil, fmt.Errorf("line %d is not NAME=VALUE with a name MUSTER_…, HTTPS_PROXY or NO_PROXY", number)
		case strings.ContainsRune(value, 0):
			return nil, fmt.Errorf("line %d contains a NUL", number)
		case value != "":
			settings[key] = value
		}
	}
	return settings, nil
}

func unquote(value string) string {
	if n := len(value); n >= 2 && (value[0] == '"' || value[0] == '\'') && value[n-1] == value[0] {
		return value[1 : n-1]
	}
	return value
}
