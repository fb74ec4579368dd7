package hosttest

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/musterhq/muster/agent/host"
)

// Call is the recorded answer to a question that is not about a file.
type Call struct {
	Call     string `json:"call"` // as the methods of Host pass it to ask
	Argument string `json:"argument,omitempty"`
	Value    any    `json:"value"`
}

// Recording writes a recording of a machine and returns its directory. The files are as for Tree.
func Recording(t testing.TB, system string, files map[string]string, calls []Call) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "recording")
	recording, err := host.Record(Tree(t, files), dir)
	if err != nil {
		t.Fatal(err)
	}
	readAll(t, recording.Host(), "/")
	if err := recording.Close(); err != nil {
		t.Fatal(err)
	}
	var lines strings.Builder
	for _, call := range calls {
		line, err := json.Marshal(call)
		if err != nil {
			t.Fatal(err)
		}
		lines.Write(append(line, '\n'))
	}
	header := `{"format":1,"system":"` + system + `","arch":"arm64","live":true,"now":"2026-01-02T03:04:05Z"}`
	for name, text := range map[string]string{"recording.json": header, "calls.jsonl": lines.String()} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// readAll reads everything below a directory. Errors are recorded, too.
func readAll(t testing.TB, h *host.Host, dir string) {
	t.Helper()
	_, _ = h.Stat(dir)
	_, _ = h.Lstat(dir)
	entries, err := h.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		name := strings.TrimSuffix(dir, "/") + "/" + entry.Name()
		if entry.IsDir() {
			readAll(t, h, name)
			continue
		}
		_, _ = h.Stat(name)
		_, _ = h.Lstat(name)
		_, _ = h.Readlink(name)
		if f, err := h.Open(name); err == nil {
			_ = f.Close()
		}
	}
}

// WindowsMachine returns a machine with Windows: its registry, and the answers to other questions.
func WindowsMachine(t testing.TB, r host.Registry, calls []Call) *host.Host {
	t.Helper()
	h, err := host.Replay(Recording(t, "windows", nil, calls))
	if err != nil {
		t.Fatal(err)
	}
	return h.WithRegistry(r)
}
