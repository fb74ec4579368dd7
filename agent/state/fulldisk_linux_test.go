package state_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/musterhq/muster/agent/state"
	"github.com/musterhq/muster/internal/inventory"
	"github.com/musterhq/muster/internal/wire"
)

// TestFullDisk runs TestHelperFullDisk in a mount namespace of its own.
func TestFullDisk(t *testing.T) {
	t.Parallel()
	helper := exec.Command(os.Args[0], "-test.run=^TestHelperFullDisk$", "-test.v")
	helper.Env = append(os.Environ(), "SMALL_DISK="+t.TempDir())
	helper.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags:  syscall.CLONE_NEWUSER | syscall.CLONE_NEWNS,
		UidMappings: []syscall.SysProcIDMap{{HostID: os.Getuid(), Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{HostID: os.Getgid(), Size: 1}},
	}
	out, err := helper.CombinedOutput()
	if err != nil && (len(out) == 0 || strings.Contains(string(out), "cannot mount")) {
		t.Skipf("this system lets nobody mount: %v %s", err, out)
	}
	if err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

// TestHelperFullDisk is the child of TestFullDisk.
func TestHelperFullDisk(t *testing.T) {
	dir := os.Getenv("SMALL_DISK")
	if dir == "" {
		t.Skip("only as a child of TestFullDisk")
	}
	if err := syscall.Mount("none", dir, "tmpfs", 0, "size=128k,mode=700"); err != nil {
		t.Fatalf("cannot mount: %v", err)
	}
	s := open(t, dir)
	small := state.Acknowledged{Root: inventory.Root{1}, Sets: map[string]wire.Set{"software": packages(t, "bash")}}
	if err := s.Acknowledge(small); err != nil {
		t.Fatal(err)
	}
	large := state.Acknowledged{Root: inventory.Root{2}, Sets: map[string]wire.Set{"software": manyPackages(t, 10_000)}}
	if err := s.Acknowledge(large); err == nil || !strings.Contains(err.Error(), "no space left on device") {
		t.Fatalf("more than the disk holds: got %v", err)
	}
	if root, ok := s.InventoryRoot(); !ok || root != small.Root {
		t.Errorf("the acknowledged root became %x", root)
	}
	if _, ok := s.Facts("software", small.Sets["software"].Root()); !ok {
		t.Error("the acknowledged set is gone")
	}

	// The files that were moved aside are deleted.
	path := filepath.Join(dir, "acknowledged.bin")
	if err := os.WriteFile(path, make([]byte, 100<<10), 0o600); err != nil {
		t.Fatal(err)
	}
	medium := state.Acknowledged{Root: inventory.Root{3}, Sets: map[string]wire.Set{"software": manyPackages(t, 1000)}}
	if err := s.Acknowledge(medium); err != nil {
		t.Errorf("with a damaged file in the way: %v", err)
	}
}
