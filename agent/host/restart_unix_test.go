//go:build unix

package host_test

import (
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/musterhq/muster/agent/host"
)

// TestRestart runs itself as a process with a goroutine that never ends, which replaces itself by a
// new process.
//
//nolint:paralleltest // only the first of the three processes is a parallel test
func TestRestart(t *testing.T) {
	const stage = "MUSTER_TEST_RESTART"
	switch os.Getenv(stage) {
	case "":
		t.Parallel()
		cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestRestart$", "-test.v")
		cmd.Env = append(os.Environ(), stage+"=first")
		out, err := cmd.CombinedOutput()
		if err != nil || !strings.Contains(string(out), "the second process") {
			t.Errorf("error %v, output:\n%s", err, out)
		}
	case "first":
		go func() { select {} }()
		if err := os.Setenv(stage, "second"); err != nil { //nolint:usetesting // for the next process
			t.Fatal(err)
		}
		t.Fatal(host.Restart())
	default:
		t.Log("the second process")
	}
}
