package osservice

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/windows"
)

// TestProtectedProgram makes a program that everyone can replace. The directory of the test belongs
// to the user of the test, whom checkPaths trusts as it trusts the user of the service.
func TestProtectedProgram(t *testing.T) {
	t.Parallel()
	user, err := windows.GetCurrentProcessToken().GetTokenUser()
	if err != nil {
		t.Fatal(err)
	}
	program := filepath.Join(tempDir(t), "p.exe")
	if err := os.WriteFile(program, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := checkPaths(program, user.User.Sid); err != nil {
		t.Errorf("a program of the user: %v", err)
	}
	descriptor, err := windows.SecurityDescriptorFromString("D:P(A;;FA;;;" + user.User.Sid.String() + ")(A;;FA;;;WD)")
	if err != nil {
		t.Fatal(err)
	}
	acl, _, err := descriptor.DACL()
	if err != nil {
		t.Fatal(err)
	}
	err = windows.SetNamedSecurityInfo(program, windows.SE_FILE_OBJECT, windows.DACL_SECURITY_INFORMATION, nil, nil, acl, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := checkPaths(program, user.User.Sid); err == nil || !strings.Contains(err.Error(), "S-1-1-0 can change") {
		t.Errorf("a program that everyone can change: %v", err)
	}
}

type codedError int

func (e codedError) Error() string { return "ended" }
func (e codedError) ExitCode() int { return int(e) }

func TestProtectedFromUselessRestarts(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		err  error
		want uint32
	}{
		{fmt.Errorf("no settings: %w", codedError(ExitNoRestart)), 0},
		{codedError(2), 1},
		{errors.New("other"), 1},
	} {
		if got := exitCode(c.err); got != c.want {
			t.Errorf("%v: got %d, want %d", c.err, got, c.want)
		}
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
