package e2e

import (
	"os"
	"os/exec"
	"runtime"
	"testing"
	"time"
)

// waitLimit bounds every wait for something that should happen immediately. It is long because the
// machine may be busy.
const waitLimit = 2 * time.Minute

// process is a program that a test started. It ends with the test.
type process struct {
	cmd  *exec.Cmd
	done chan struct{} // closed when it has ended
	err  error         // its result; valid after done is closed
}

// begin starts cmd from a thread that lives as long as the child. Linux sends the parent-death
// signal when the thread that forked dies (prctl(2), PR_SET_PDEATHSIG).
func begin(t testing.TB, cmd *exec.Cmd) *process {
	t.Helper()
	killWithParent(cmd)
	p := &process{cmd: cmd, done: make(chan struct{})}
	started := make(chan error)
	go func() {
		runtime.LockOSThread() // never unlocked: the thread ends with the goroutine
		err := cmd.Start()
		started <- err
		if err == nil {
			p.err = cmd.Wait()
			close(p.done)
		}
	}()
	if err := <-started; err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.kill)
	return p
}

// kill ends the process as kill -9 does, and returns when it has ended.
func (p *process) kill() {
	_ = p.cmd.Process.Kill() // fails only if the process has ended
	<-p.done
}

// interrupt ends the process as Ctrl-C does, and returns its result.
func (p *process) interrupt(t testing.TB) error {
	t.Helper()
	if err := p.cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	p.await(t)
	return p.err
}

// await returns when the process has ended by itself.
func (p *process) await(t testing.TB) {
	t.Helper()
	select {
	case <-p.done:
	case <-time.After(waitLimit):
		t.Fatalf("%v does not end", p.cmd.Args)
	}
}

// running reports whether the process has not ended.
func (p *process) running() bool {
	select {
	case <-p.done:
		return false
	default:
		return true
	}
}

// eventually polls a condition that sends no signal, such as a row of a database.
func eventually(t testing.TB, what string, yes func() bool) {
	t.Helper()
	if !became(yes) {
		t.Fatalf("waited %v in vain: %s", waitLimit, what)
	}
}

// became is eventually for goroutines other than the test's own.
func became(yes func() bool) bool {
	ticker := time.NewTicker(20 * time.Millisecond)
	defer ticker.Stop()
	deadline := time.After(waitLimit)
	for !yes() {
		select {
		case <-ticker.C:
		case <-deadline:
			return false
		}
	}
	return true
}
