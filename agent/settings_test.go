package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestSettings(t *testing.T) {
	t.Parallel()
	got, err := parseSettings("\ufeff# comment\r\n[agent]\r\nMUSTER_COLLECTOR = c.example:8443\r\n\nMUSTER_TOKEN='a b'\n" +
		"MUSTER_CA_PIN=\"sha256:00\"\nMUSTER_WITHOUT=\nHTTPS_PROXY=http://p:3128")
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{
		"MUSTER_COLLECTOR": "c.example:8443", "MUSTER_TOKEN": "a b", "MUSTER_CA_PIN": "sha256:00", "HTTPS_PROXY": "http://p:3128",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	for _, bad := range []string{"LD_PRELOAD=/tmp/x", "MUSTER_TOKEN", "export MUSTER_TOKEN=x", "MUSTER_TOKEN=a\x00b"} {
		if _, err := parseSettings("\n" + bad); err == nil || !strings.Contains(err.Error(), "line 2") {
			t.Errorf("%q: got %v, want an error about line 2", bad, err)
		}
	}
}

func TestEnvironmentOverridesSettings(t *testing.T) {
	name := filepath.Join(t.TempDir(), "agent.env")
	if err := os.WriteFile(name, []byte("MUSTER_COLLECTOR=file:1\nMUSTER_CA_PIN=file\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("MUSTER_COLLECTOR", "environment:1")
	t.Setenv("MUSTER_CA_PIN", "") // restores it after the test
	if err := os.Unsetenv("MUSTER_CA_PIN"); err != nil {
		t.Fatal(err)
	}
	if err := loadSettings(name); err != nil {
		t.Fatal(err)
	}
	if got := os.Getenv("MUSTER_COLLECTOR") + " " + os.Getenv("MUSTER_CA_PIN"); got != "environment:1 file" {
		t.Errorf("got %q", got)
	}
	if err := loadSettings(filepath.Join(t.TempDir(), "none")); err != nil {
		t.Errorf("no file: %v", err)
	}
}

func FuzzParseSettings(f *testing.F) {
	f.Add("MUSTER_TOKEN=\"x\"\n# y\n[z]\n")
	f.Add("MUSTER_TOKEN")
	f.Fuzz(func(t *testing.T, text string) {
		settings, err := parseSettings(text)
		for key, value := range settings {
			if err != nil || value == "" || strings.ContainsAny(key+value, "\x00\n") {
				t.Errorf("%q: %q, %v", key, value, err)
			}
		}
	})
}
