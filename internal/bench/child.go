package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"
)

// stopGrace is how long a program may take to end after the interrupt.
const stopGrace = 30 * time.Second

// command prepares a program. The end of ctx interrupts it, and kills it after stopGrace.
func command(ctx context.Context, program string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, program, args...) //nolint:gosec // the program under test
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = stopGrace
	return cmd
}

// spent is what one run of a program cost.
type spent struct {
	output   []byte
	cpu      time.Duration // user and system, the kernel's account at the end of the process
	peak     int64         // bytes of memory
	children int
}

// spend runs a program to its end and measures its CPU time.
func spend(ctx context.Context, program string, args ...string) (spent, error) {
	cmd := command(ctx, program, args...)
	var out, problem bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &problem
	if err := cmd.Run(); err != nil {
		return spent{}, failure(program, args, err, problem.Bytes())
	}
	return spent{output: out.Bytes(), cpu: cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()}, nil
}

func failure(program string, args []string, err error, reported []byte) error {
	return fmt.Errorf("%s %s: %w\n%s", filepath.Base(program), args[0], err, bytes.TrimSpace(reported))
}

// watch runs a program to its end and measures its peak memory and its children. Watching slows the
// program down, so the result has no CPU time.
//
// The peak is not ru_maxrss of getrusage(2), which starts with the memory of the parent: until
// execve(2) the child shares it. Children are counted when they are seen. A child that ended before
// that is counted by its page faults, which the kernel adds to its parent and which remain readable
// while the parent is a zombie.
func watch(ctx context.Context, program string, args ...string) (spent, error) {
	cmd := command(ctx, program, args...)
	var out, problem bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &problem
	if err := cmd.Start(); err != nil {
		return spent{}, failure(program, args, err, nil)
	}
	w := watcher{pid: cmd.Process.Pid, children: map[int]bool{}}
	watchErr := w.untilEnd()
	if err := cmd.Wait(); err != nil {
		return spent{}, failure(program, args, err, problem.Bytes())
	}
	return spent{output: out.Bytes(), peak: w.peak, children: w.count}, watchErr
}

type watcher struct {
	pid      int
	peak     int64
	children map[int]bool
	count    int
}

// untilEnd polls until the process is a zombie.
func (w *watcher) untilEnd() error {
	for {
		stat, err := statOf(w.pid)
		if err != nil {
			return err
		}
		if stat.state == 'Z' {
			w.count = len(w.children)
			if w.count == 0 && stat.childrenFaults > 0 {
				w.count = 1 // at least
			}
			return nil
		}
		if peak, err := memoryOf(w.pid, "VmHWM"); err == nil { // an ending process has none
			w.peak = max(w.peak, peak)
		}
		children, err := childrenOf(w.pid)
		if err != nil {
			return err
		}
		for _, child := range children {
			w.children[child] = true
		}
	}
}
