package main

import (
	"os"
	"os/exec"
	"testing"
	"time"
)

func needProc(t *testing.T) {
	t.Helper()
	if _, err := os.Stat("/proc/self/schedstat"); err != nil {
		t.Skip("this system has no /proc with CPU times of processes")
	}
}

func TestWatchCountsChildren(t *testing.T) {
	t.Parallel()
	needProc(t)
	for _, c := range []struct {
		name, script string
		least, most  int
	}{
		{"none", "exit 0", 0, 0},
		{"short ones", "/bin/true; /bin/true; exit 0", 1, 2},
		{"a subshell", "(exit 0); exit 0", 1, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			got, err := watch(t.Context(), "/bin/sh", "-c", c.script)
			if err != nil {
				t.Fatal(err)
			}
			if got.children < c.least || got.children > c.most {
				t.Errorf("%d children, want %d to %d", got.children, c.least, c.most)
			}
		})
	}
}

// TestWatchSeesTheChildsOwnMemory would fail with ru_maxrss, which starts with the memory of the
// parent.
func TestWatchSeesTheChildsOwnMemory(t *testing.T) {
	t.Parallel()
	needProc(t)
	ballast := make([]byte, 64<<20)
	for i := 0; i < len(ballast); i += 4096 {
		ballast[i] = 1
	}
	got, err := watch(t.Context(), "/bin/sh", "-c", "i=0; while [ $i -lt 100000 ]; do i=$((i+1)); done")
	if err != nil {
		t.Fatal(err)
	}
	if got.peak == 0 || got.peak > int64(len(ballast))/2 {
		t.Errorf("a shell uses %d bytes", got.peak)
	}
	if own, err := memoryOf(os.Getpid(), "VmRSS"); err != nil || own < int64(len(ballast)) {
		t.Errorf("the test itself uses %d bytes (%v), want more than %d", own, err, len(ballast))
	}
	_ = ballast[0]
}

func TestSpendReportsStandardError(t *testing.T) {
	t.Parallel()
	_, err := spend(t.Context(), "/bin/sh", "-c", "echo no luck >&2; exit 3")
	if err == nil || err.Error() != "sh -c: exit status 3\nno luck" {
		t.Errorf("got %q", err)
	}
}

func TestCPUIsThatOfTheProcess(t *testing.T) {
	t.Parallel()
	needProc(t)
	before, err := cpuOf(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	for start := time.Now(); time.Since(start) < 20*time.Millisecond; {
	}
	after, err := cpuOf(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	if after <= before {
		t.Errorf("no CPU time passed during work: %v, then %v", before, after)
	}
}

func TestChildrenOf(t *testing.T) {
	t.Parallel()
	needProc(t)
	cmd := exec.CommandContext(t.Context(), "/bin/sh", "-c", "read line; exit 0")
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	list, err := childrenOf(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	found := false
	for _, pid := range list {
		found = found || pid == cmd.Process.Pid
	}
	if !found {
		t.Errorf("the child %d is not among %v", cmd.Process.Pid, list)
	}
	_ = in.Close()
	if err := cmd.Wait(); err != nil {
		t.Fatal(err)
	}
	if _, err := statOf(cmd.Process.Pid); err == nil {
		t.Error("a process that has ended has a status")
	}
}
