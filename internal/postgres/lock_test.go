//go:build unix

package postgres

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestLockOfAChild: Start waits for a lock that a child holds for a moment, and gives up soon on
// one that stays held.
func TestLockOfAChild(t *testing.T) {
	t.Parallel()
	name := filepath.Join(t.TempDir(), "lock")
	held, err := lockFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if second, err := lockFile(name); err == nil || !strings.Contains(err.Error(), "another process") {
		t.Fatalf("a lock that is held was taken: %v, %v", second, err)
	}
	number, err := syscall.Dup(int(held.(*os.File).Fd()))
	if err != nil {
		t.Fatal(err)
	}
	copied := os.NewFile(uintptr(number), name)
	if err := held.Close(); err != nil {
		t.Fatal(err)
	}
	time.AfterFunc(50*time.Millisecond, func() { _ = copied.Close() })
	taken, err := lockFile(name)
	if err != nil {
		t.Fatalf("the copy is closed after a moment: %v", err)
	}
	if err := taken.Close(); err != nil {
		t.Error(err)
	}
}
