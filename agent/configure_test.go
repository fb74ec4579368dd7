package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestWithSetting(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ text, name, value, want string }{
		{"", "MUSTER_A", "1", "MUSTER_A=1\n"},
		{"# x", "MUSTER_A", "1", "# x\nMUSTER_A=1\n"},
		{"#MUSTER_A=0\n", "MUSTER_A", "1", "#MUSTER_A=0\nMUSTER_A=1\n"},
		{"\ufeffMUSTER_A = 0\r\nMUSTER_AB=2\nMUSTER_A=3\n", "MUSTER_A", "1", "MUSTER_A=1\nMUSTER_AB=2\n"},
		{"MUSTER_B=1\nMUSTER_A=1\nMUSTER_C=1", "MUSTER_A", "", "MUSTER_B=1\nMUSTER_C=1"},
	} {
		if got := withSetting(c.text, c.name, c.value); got != c.want {
			t.Errorf("%q with %s=%s: got %q, want %q", c.text, c.name, c.value, got, c.want)
		}
	}
}

// TestConfigure checks that run finds what configure has written.
func TestConfigure(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	var command configureCommand
	command.State = filepath.Join(dir, "state")
	command.Settings = filepath.Join(dir, "etc", "agent.env")
	command.Collector, command.Token, command.CAPin = nobody, "muster_enroll_abc", "sha256:"+strings.Repeat("0a", 32)
	var out bytes.Buffer
	if err := command.Run(&out); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(command.Settings)
	if err != nil {
		t.Fatal(err)
	}
	got, err := parseSettings(string(text))
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{"MUSTER_COLLECTOR": command.Collector, "MUSTER_CA_PIN": command.CAPin}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("settings (-want +got):\n%s", diff)
	}
	var run runCommand
	run.State, run.Collector, run.CAPin = command.State, command.Collector, command.CAPin
	run.TokenFile = run.tokenFile()
	enrollment, err := run.enrollment()
	if err != nil || enrollment.Token != command.Token {
		t.Errorf("the token is %q, %v", enrollment.Token, err)
	}
}

func TestConfigureChecksItsOptions(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]enrollmentFlags{
		"no token":    {Collector: nobody, CAPin: "sha256:" + strings.Repeat("0a", 32)},
		"bad pin":     {Collector: nobody, CAPin: "sha256:x", Token: "muster_enroll_abc"},
		"bad address": {Collector: "no port", CAPin: "sha256:" + strings.Repeat("0a", 32), Token: "muster_enroll_abc"},
	} {
		dir := t.TempDir()
		command := configureCommand{stateFlag{filepath.Join(dir, "state")}, c, filepath.Join(dir, "agent.env")}
		if err := command.Run(new(bytes.Buffer)); err == nil {
			t.Errorf("%s: accepted", name)
		}
		if files, err := os.ReadDir(dir); err != nil || len(files) > 0 {
			t.Errorf("%s: it wrote %v, %v", name, files, err)
		}
	}
}
