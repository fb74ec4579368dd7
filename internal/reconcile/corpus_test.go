package reconcile_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
)

// corpus finds captured data, which lies beside the checkout.
func corpus(t *testing.T, pattern ...string) []string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for ; dir != filepath.Dir(dir); dir = filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			break
		}
	}
	files, err := filepath.Glob(filepath.Join(append([]string{dir, "..", "shared", "corpora"}, pattern...)...))
	if err != nil {
		t.Fatal(err)
	}
	if len(files) == 0 {
		t.Skipf("the corpus %s is not here: it is looked for in ../shared/corpora", pattern[0])
	}
	return files
}

func readJSON(t *testing.T, file string, into any) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, into); err != nil {
		t.Fatalf("read %s: %v", file, err)
	}
}

// facts makes the item of a section, without what is empty: as on the wire, absent is unknown.
func facts(t *testing.T, fields map[string]any) json.RawMessage {
	t.Helper()
	known := map[string]any{}
	for name, value := range fields {
		if value != nil && value != "" {
			known[name] = value
		}
	}
	text, err := json.Marshal(known)
	if err != nil {
		t.Fatal(err)
	}
	return text
}
