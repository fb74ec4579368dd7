package state_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/musterhq/muster/agent/state"
	"github.com/musterhq/muster/internal/inventory"
	"github.com/musterhq/muster/internal/wire"
)

// written makes a state with an identity and two sections, and returns the bytes of its
// acknowledged.bin.
func written(t *testing.T, dir string) (good []byte, acknowledged state.Acknowledged) {
	t.Helper()
	s := open(t, dir)
	if err := s.SetIdentity(someIdentity(t)); err != nil {
		t.Fatal(err)
	}
	acknowledged = state.Acknowledged{
		Root: inventory.Root{1}, Token: []byte("0123456789abcdef"),
		Sets: map[string]wire.Set{"software": manyPackages(t, 300), "display": {}},
	}
	if err := s.Acknowledge(acknowledged); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	good, err := os.ReadFile(filepath.Join(dir, "acknowledged.bin"))
	if err != nil {
		t.Fatal(err)
	}
	return good, acknowledged
}

// checkSurvives opens a damaged state and uses it. It must contain what was written, or nothing.
func checkSurvives(t *testing.T, dir, what string, damaged []byte, was state.Acknowledged) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, "acknowledged.bin"), damaged, 0o600); err != nil {
		t.Fatal(err)
	}
	s, err := state.Open(dir)
	if err != nil {
		t.Fatalf("%s: %v", what, err)
	}
	defer func() { _ = s.Close() }()
	if _, err := s.Identity(); err != nil {
		t.Fatalf("%s: the identity is gone: %v", what, err)
	}
	if root, ok := s.InventoryRoot(); ok && root != was.Root {
		t.Fatalf("%s: the inventory root became %x", what, root)
	}
	software := was.Sets["software"]
	if facts, ok := s.Facts("software", software.Root()); ok && len(facts) != len(software.Items()) {
		t.Fatalf("%s: a set of %d items came back for one of %d", what, len(facts), len(software.Items()))
	}
	next := state.Acknowledged{Root: inventory.Root{2}, Sets: map[string]wire.Set{"software": packages(t, "bash")}}
	if err := s.Acknowledge(next); err != nil {
		t.Fatalf("%s: it cannot be written any more: %v", what, err)
	}
	if root, ok := s.InventoryRoot(); !ok || root != next.Root {
		t.Fatalf("%s: what was written did not come back", what)
	}
}

func TestStateSurvivesDamageAnywhere(t *testing.T) {
	t.Parallel()
	dir := privateDir(t)
	good, was := written(t, dir)
	mutations := map[string]func(b []byte, at int) []byte{
		"bit flipped":      func(b []byte, at int) []byte { b[at] ^= 0x04; return b },
		"byte inverted":    func(b []byte, at int) []byte { b[at] ^= 0xff; return b },
		"16 bytes of ones": func(b []byte, at int) []byte { fill(b[at:], 16, 0xff); return b },
		"sector zeroed":    func(b []byte, at int) []byte { fill(b[at:], 512, 0); return b },
		"cut off":          func(b []byte, at int) []byte { return b[:at] },
	}
	for what, mutate := range mutations {
		for at := 0; at < len(good); at += 512 {
			checkSurvives(t, dir, what, mutate(append([]byte(nil), good...), at), was)
		}
	}
	aside, err := filepath.Glob(filepath.Join(dir, "acknowledged.bin.corrupt-*"))
	if err != nil || len(aside) != 3 {
		t.Errorf("got %v, %v; want three files kept aside", aside, err)
	}
}

func TestDamageWhileOpenCostsAResyncOnly(t *testing.T) {
	t.Parallel()
	dir := privateDir(t)
	_, was := written(t, dir)
	s := open(t, dir)
	if err := os.WriteFile(filepath.Join(dir, "acknowledged.bin"), []byte("scribble"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, ok := s.Facts("software", was.Sets["software"].Root()); ok {
		t.Error("facts came out of a scribble")
	}
	was.Root = inventory.Root{3}
	if err := s.Acknowledge(was); err != nil {
		t.Fatal(err)
	}
	if _, ok := s.Facts("software", was.Sets["software"].Root()); !ok {
		t.Error("what was acknowledged afterwards is not there")
	}
}

// TestFullDiskForgetsNothing makes a directory with the name of the temporary file, so that writing
// fails as on a full disk.
func TestFullDiskForgetsNothing(t *testing.T) {
	t.Parallel()
	dir := privateDir(t)
	_, was := written(t, dir)
	s := open(t, dir)
	blocker := filepath.Join(dir, "acknowledged.bin.tmp")
	if err := os.MkdirAll(filepath.Join(blocker, "x"), 0o700); err != nil {
		t.Fatal(err)
	}
	next := state.Acknowledged{Root: inventory.Root{2}, Token: []byte("next"), Sets: map[string]wire.Set{"software": packages(t, "bash")}}
	if err := s.Acknowledge(next); err == nil {
		t.Fatal("it was written all the same")
	}
	if root, ok := s.InventoryRoot(); !ok || root != was.Root {
		t.Errorf("the acknowledged root became %x", root)
	}
	if _, ok := s.Facts("software", was.Sets["software"].Root()); !ok {
		t.Error("the acknowledged set is gone")
	}
	if string(s.Token()) != "next" {
		t.Errorf("token: got %q, want the newest", s.Token())
	}
	if err := os.RemoveAll(blocker); err != nil {
		t.Fatal(err)
	}
	if err := s.Acknowledge(next); err != nil {
		t.Errorf("with room again: %v", err)
	}
}

func fill(b []byte, n int, with byte) {
	for i := range min(n, len(b)) {
		b[i] = with
	}
}

func TestUnknownFilesAreReplaced(t *testing.T) {
	t.Parallel()
	dir := privateDir(t)
	_, was := written(t, dir)
	for what, content := range map[string]string{
		"text":      strings.Repeat("this is no database\n", 1000),
		"one byte":  "x",
		"zeros":     strings.Repeat("\x00", 65536),
		"two pages": strings.Repeat("\xed\x0c\xda\xed", 2048),
	} {
		checkSurvives(t, dir, what, []byte(content), was)
	}
}

func TestUnreadableStateIsNotMovedAside(t *testing.T) {
	t.Parallel()
	dir := privateDir(t)
	if err := os.MkdirAll(filepath.Join(dir, "acknowledged.bin"), 0o700); err != nil { // not a file
		t.Fatal(err)
	}
	if _, err := state.Open(dir); err == nil || strings.Contains(err.Error(), "damaged") {
		t.Errorf("got %v, want what the system said", err)
	}
	if _, err := os.Stat(filepath.Join(dir, "acknowledged.bin")); err != nil {
		t.Errorf("it was moved: %v", err)
	}
}
