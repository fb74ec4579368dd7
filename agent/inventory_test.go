package main

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func inventoryText(t *testing.T, c inventoryCommand) string {
	t.Helper()
	c.Output = "json"
	var out bytes.Buffer
	if err := c.Run(t.Context(), &out); err != nil {
		t.Fatal(err)
	}
	return duration.ReplaceAllString(out.String(), `"duration_ms": 0`)
}

// duration is the only part of a document that is not about the machine.
var duration = regexp.MustCompile(`"duration_ms": \d+`)

// TestReplayPrintsTheSameInventory records this machine, replays the recording, and records the
// replay.
func TestReplayPrintsTheSameInventory(t *testing.T) {
	t.Parallel()
	first, second := filepath.Join(t.TempDir(), "first"), filepath.Join(t.TempDir(), "second")
	recorded := inventoryText(t, inventoryCommand{Record: first})
	replayed := inventoryText(t, inventoryCommand{Replay: first})
	if diff := cmp.Diff(recorded, replayed); diff != "" {
		t.Errorf("the replay differs (-recorded +replayed):\n%s", diff)
	}
	if diff := cmp.Diff(recorded, inventoryText(t, inventoryCommand{Replay: first, Record: second})); diff != "" {
		t.Errorf("the recorded replay differs (-recorded +replayed):\n%s", diff)
	}
	if diff := cmp.Diff(content(t, first), content(t, second)); diff != "" {
		t.Errorf("the recording of a replay differs (-first +second):\n%s", diff)
	}
}

// TestRecordingDoesNotChangeTheInventory compares with an inventory that is not recorded. Readings
// differ with time, so only the facts of sections without clocks are compared.
func TestRecordingDoesNotChangeTheInventory(t *testing.T) {
	t.Parallel()
	sections := []string{"system", "firmware", "memory", "storage", "display", "software", "service", "user", "virtual_machine"}
	plain := inventoryText(t, inventoryCommand{Section: sections})
	recorded := inventoryText(t, inventoryCommand{Section: sections, Record: filepath.Join(t.TempDir(), "recording")})
	if diff := cmp.Diff(plain, recorded); diff != "" {
		t.Errorf("the inventory differs (-plain +recorded):\n%s", diff)
	}
}

func content(t *testing.T, dir string) map[string]string {
	t.Helper()
	files := map[string]string{}
	err := fs.WalkDir(os.DirFS(dir), ".", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		data, err := os.ReadFile(filepath.Join(dir, path))
		files[path] = string(data)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func TestRecordRefusesADirectoryInUse(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "file"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := (inventoryCommand{Record: dir}).Run(t.Context(), &bytes.Buffer{}); err == nil {
		t.Error("no error of a directory that is not empty")
	}
	if err := (inventoryCommand{Replay: dir}).Run(t.Context(), &bytes.Buffer{}); err == nil {
		t.Error("no error of a directory that is not a recording")
	}
}
