package postgres

import (
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
)

// TestOrdinaryUser runs the important tests again without root's privileges.
func TestOrdinaryUser(t *testing.T) {
	t.Parallel()
	if os.Getuid() != 0 {
		t.Skip("all the tests ran as an ordinary user already")
	}
	const nobody = 65534
	home := t.TempDir()
	if err := os.Chmod(filepath.Dir(home), 0o711); err != nil { // the other user must be able to enter
		t.Fatal(err)
	}
	program := filepath.Join(home, "postgres.test")
	copyFile(t, os.Args[0], program)
	tmp := filepath.Join(home, "tmp")
	if err := os.Mkdir(tmp, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Chown(tmp, nobody, nobody); err != nil {
		t.Fatal(err)
	}

	cmd := exec.CommandContext(t.Context(), program, "-test.run=^(TestStartStop|TestKilledParent)$")
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "TMPDIR=" + tmp, "CI=" + os.Getenv("CI")}
	cmd.Dir = tmp
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

// copyFile copies the test binary out of the go command's directory, which other users cannot
// enter.
func copyFile(t *testing.T, from, to string) {
	t.Helper()
	program, err := os.ReadFile(from)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(to, program, 0o755); err != nil {
		t.Fatal(err)
	}
}
