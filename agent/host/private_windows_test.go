package host

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/windows"
)

func TestPrivateDirectory(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(tempDir(t), "a", "b")
	for i, want := range []bool{true, false} {
		if made, err := MakePrivate(dir); made != want || err != nil {
			t.Errorf("call %d: got %v, %v", i+1, made, err)
		}
	}
	open := filepath.Join(tempDir(t), "open")
	makeWithRights(t, open, privateRights+"(A;OICI;FR;;;WD)")
	if _, err := MakePrivate(open); err == nil || !strings.Contains(err.Error(), "S-1-1-0 can read") {
		t.Errorf("a directory that everyone can read: %v", err)
	}
}

// makeWithRights makes a directory with an access list in the security descriptor language.
func makeWithRights(t *testing.T, dir, rights string) {
	t.Helper()
	descriptor, err := windows.SecurityDescriptorFromString(rights)
	if err != nil {
		t.Fatal(err)
	}
	attributes := windows.SecurityAttributes{Length: 24, SecurityDescriptor: descriptor} // of 64 bits
	if err := windows.CreateDirectory(windows.StringToUTF16Ptr(dir), &attributes); err != nil {
		t.Fatal(err)
	}
}

// tempDir makes a directory for the test. Wine 8 cannot remove files as t.TempDir does.
func tempDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "muster") //nolint:usetesting // see above
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}
