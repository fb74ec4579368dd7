package state_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"

	"github.com/musterhq/muster/agent/state"
	"github.com/musterhq/muster/internal/inventory"
	"github.com/musterhq/muster/internal/wire"
	inventoryv1 "github.com/musterhq/muster/proto/muster/inventory/v1"
)

func open(t *testing.T, dir string) *state.State {
	t.Helper()
	s, err := state.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// privateDir returns a temporary directory that no other user can read.
func privateDir(t *testing.T) string {
	t.Helper()
	return filepath.Join(t.TempDir(), "state")
}

func packages(t *testing.T, names ...string) wire.Set {
	t.Helper()
	section, ok := wire.Lookup("software")
	if !ok {
		t.Fatal("no software section")
	}
	items := make([]proto.Message, len(names))
	for i, name := range names {
		items[i] = &inventoryv1.Software{Source: "dpkg", Name: name, Version: "1.0", Arch: "amd64"}
	}
	set, verdicts := section.NewSet(items)
	if len(verdicts) > 0 {
		t.Fatal(verdicts)
	}
	return set
}

func manyPackages(t *testing.T, n int) wire.Set {
	t.Helper()
	names := make([]string, n)
	for i := range names {
		names[i] = fmt.Sprintf("package-%d", i)
	}
	return packages(t, names...)
}

func factsOf(set wire.Set) [][]byte {
	var facts [][]byte
	for _, item := range set.Items() {
		facts = append(facts, item.Facts)
	}
	return facts
}

func TestStateRemembersAcrossRuns(t *testing.T) {
	t.Parallel()
	dir := privateDir(t)
	s := open(t, dir)
	if _, ok := s.InventoryRoot(); ok || s.Token() != nil || !s.ReadingsAccepted().IsZero() {
		t.Fatal("a new state knows something")
	}
	at := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	software, empty := packages(t, "bash", "zsh"), wire.Set{}
	err := s.Acknowledge(state.Acknowledged{
		Root: inventory.Root{7}, Token: []byte("0123456789abcdef"), Readings: at,
		Sets: map[string]wire.Set{"software": software, "display": empty},
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}

	s = open(t, dir)
	if root, ok := s.InventoryRoot(); !ok || root != (inventory.Root{7}) {
		t.Errorf("inventory root: got %x, %v", root, ok)
	}
	if got := string(s.Token()); got != "0123456789abcdef" {
		t.Errorf("token: got %q", got)
	}
	if got := s.ReadingsAccepted(); !got.Equal(at) {
		t.Errorf("readings accepted: got %v, want %v", got, at)
	}
	facts, ok := s.Facts("software", software.Root())
	if diff := cmp.Diff(factsOf(software), facts); !ok || diff != "" {
		t.Errorf("facts (-want +got):\n%s", diff)
	}
	if facts, ok := s.Facts("display", inventory.Root{}); !ok || len(facts) != 0 {
		t.Errorf("an empty set: got %v, %v", facts, ok)
	}
	if _, ok := s.Facts("software", inventory.Root{1}); ok {
		t.Error("it knows a set that it never had")
	}
	if _, ok := s.Facts("service", inventory.Root{}); ok {
		t.Error("it knows a section that was never acknowledged")
	}
}

func TestAcknowledgeKeepsWhatItDoesNotName(t *testing.T) {
	t.Parallel()
	s := open(t, privateDir(t))
	software := packages(t, "bash")
	first := state.Acknowledged{Root: inventory.Root{1}, Token: []byte("token"), Sets: map[string]wire.Set{"software": software}}
	if err := s.Acknowledge(first); err != nil {
		t.Fatal(err)
	}
	if err := s.Acknowledge(state.Acknowledged{Root: inventory.Root{2}}); err != nil {
		t.Fatal(err)
	}
	if _, ok := s.Facts("software", software.Root()); !ok || string(s.Token()) != "token" {
		t.Error("a section that was not collected, or the token, was forgotten")
	}
	if root, _ := s.InventoryRoot(); root != (inventory.Root{2}) {
		t.Errorf("inventory root: got %x", root)
	}
}

func TestForgetDropsEverything(t *testing.T) {
	t.Parallel()
	dir := privateDir(t)
	s := open(t, dir)
	software := packages(t, "bash")
	all := state.Acknowledged{
		Root: inventory.Root{1}, Token: []byte("token"), Readings: time.Now(), Sets: map[string]wire.Set{"software": software},
	}
	if err := s.Acknowledge(all); err != nil {
		t.Fatal(err)
	}
	if err := s.Forget(); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		_, knowsRoot := s.InventoryRoot()
		_, knowsSet := s.Facts("software", software.Root())
		if knowsRoot || knowsSet || s.Token() != nil || !s.ReadingsAccepted().IsZero() {
			t.Error("something is left")
		}
		_ = s.Close()
		s = open(t, dir) // and after a restart
	}
}

func TestOneProcessAtATime(t *testing.T) {
	t.Parallel()
	dir := privateDir(t)
	open(t, dir)
	if _, err := state.Open(dir); err == nil || !strings.Contains(err.Error(), "another muster-agent uses the state directory "+dir) {
		t.Errorf("in this process: got %v", err)
	}
	helper := exec.Command(os.Args[0], "-test.run=^TestHelperOpens$")
	helper.Env = append(os.Environ(), "STATE_DIR="+dir)
	if out, err := helper.CombinedOutput(); err == nil || !strings.Contains(string(out), "another muster-agent uses the state directory "+dir) {
		t.Errorf("in another process: got %v\n%s", err, out)
	}
	if _, err := state.ReadStatus(dir); err != nil {
		t.Errorf("status while another holds the state: %v", err)
	}
	if _, err := state.ReadIdentity(dir); err == nil || !strings.Contains(err.Error(), "not enrolled") {
		t.Errorf("identity while another holds the state: %v", err)
	}
}

// TestHelperOpens is the other process of TestOneProcessAtATime.
func TestHelperOpens(t *testing.T) {
	dir := os.Getenv("STATE_DIR")
	if dir == "" {
		t.Skip("only as a child of TestOneProcessAtATime")
	}
	if _, err := state.Open(dir); err != nil {
		t.Fatal(err)
	}
}

func TestFilesAreTheOwnersAlone(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" {
		t.Skip("Windows has no mode bits")
	}
	dir := privateDir(t)
	s := open(t, dir)
	if err := s.SetStatus(state.Status{LastError: "x"}); err != nil {
		t.Fatal(err)
	}
	if err := s.SetIdentity(someIdentity(t)); err != nil {
		t.Fatal(err)
	}
	if err := s.Forget(); err != nil {
		t.Fatal(err)
	}
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 4 {
		t.Fatalf("got %v, %v; want four files", entries, err)
	}
	for _, entry := range entries {
		if info, err := entry.Info(); err != nil || info.Mode() != 0o600 {
			t.Errorf("%s: got mode %v, want 0600", entry.Name(), info.Mode())
		}
	}
	if info, err := os.Stat(dir); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("directory: got mode %v, want 0700", info.Mode())
	}
	if _, err := state.Open(openToOthers(t)); err == nil || !strings.Contains(err.Error(), "other users can read") {
		t.Errorf("a directory that is open to others: got %v", err)
	}
}

func openToOthers(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	return dir
}

func BenchmarkAcknowledge(b *testing.B) {
	dir := filepath.Join(b.TempDir(), "state")
	s, err := state.Open(dir)
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	section, _ := wire.Lookup("software")
	items := make([]proto.Message, 1000)
	var round int
	for b.Loop() {
		round++
		for i := range items {
			items[i] = &inventoryv1.Software{Source: "dpkg", Name: fmt.Sprintf("p%d", i), Version: fmt.Sprint(round)}
		}
		set, _ := section.NewSet(items)
		err := s.Acknowledge(state.Acknowledged{Root: inventory.Root{byte(round)}, Sets: map[string]wire.Set{"software": set}})
		if err != nil {
			b.Fatal(err)
		}
	}
}
