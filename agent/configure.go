package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/musterhq/muster/agent/host"
)

// configureCommand writes the settings of an enrollment for the service. Installers call it.
type configureCommand struct {
	stateFlag
	enrollmentFlags
	Settings string `placeholder:"FILE" default:"${settings_file}" help:"The file for the settings (${default})."`
}

// Help returns the text below the options.
func (configureCommand) Help() string {
	return `Examples:
  muster-agent configure --collector muster.example.com:8443 --ca-pin sha256:1f0c… --token-file token

The command checks the options and contacts nobody. It writes the collector and the pin to the settings, whose other
lines stay, and the token to the file ` + tokenFile + ` of the state directory. The service enrolls this machine when it
starts, and deletes the token's file. The enrollment of a machine that is already enrolled does not change.`
}

// Run writes both files. The token is the last one: with it the service can enroll.
func (c configureCommand) Run(out io.Writer) error {
	enrollment, err := c.enrollment()
	if err != nil {
		return err
	}
	if _, err := host.MakePrivate(c.State); err != nil {
		return fmt.Errorf("make state directory: %w", err)
	}
	text, err := os.ReadFile(c.Settings)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("read settings: %w", err)
	}
	settings := withSetting(string(text), "MUSTER_COLLECTOR", enrollment.Collector)
	settings = withSetting(settings, "MUSTER_CA_PIN", enrollment.Pin)
	settings = withSetting(settings, "MUSTER_TOKEN", "")                 // the token has a file of its own
	if err := os.MkdirAll(filepath.Dir(c.Settings), 0o755); err != nil { //nolint:gosec // the file is private
		return fmt.Errorf("write settings: %w", err)
	}
	if err := os.WriteFile(c.Settings, []byte(settings), 0o600); err != nil { //nolint:gosec // the user's option
		return fmt.Errorf("write settings: %w", err)
	}
	if err := os.WriteFile(filepath.Join(c.State, tokenFile), []byte(enrollment.Token+"\n"), 0o600); err != nil {
		return fmt.Errorf("write token: %w", err)
	}
	_, err = fmt.Fprintf(out, "wrote %s; the service enrolls this machine when it starts\n", c.Settings)
	return err
}

// withSetting returns settings in which the variable has the value, in the place of its first line.
// An empty value removes its lines.
func withSetting(text, name, value string) string {
	lines := slices.Collect(strings.Lines(text))
	place := slices.IndexFunc(lines, func(line string) bool { return sets(line, name) })
	lines = slices.DeleteFunc(lines, func(line string) bool { return sets(line, name) })
	if value == "" {
		return strings.Join(lines, "")
	}
	if place < 0 {
		place = len(lines)
		if place > 0 && !strings.HasSuffix(lines[place-1], "\n") {
			lines[place-1] += "\n"
		}
	}
	return strings.Join(slices.Insert(lines, place, name+"="+value+"\n"), "")
}

func sets(line, name string) bool {
	key, _, found := strings.Cut(strings.TrimPrefix(line, "\ufeff"), "=")
	return found && strings.TrimSpace(key) == name
}
