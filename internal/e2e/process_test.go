package e2e

import (
	"os"
	"os/exec"
	"runtime"
	"testing"
	"time"
)

// patience bounds every wait for something that should happen at once, on a machine that has much else to do.
const patience = 2 * time.Minute

// process is a program that a test started. The test's end is its end.
type process struct {
	cmd  *exec.Cmd
	done chan struct{} // closed when it has ended
	err  error         // how; to be read after done
}

// begin starts cmd from a thread that lives as long as the child: Linux sends the signal of the parent's death when
// the thread dies that forked (prctl(2), PR_SET_PDEATHSIG).
func begin(t testing.TB, cmd *exec.Cmd) *process {
	t.Helper()
	dieWithUs(cmd)
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

// kill ends the process as kill -9 does, and returns when it is gone.
func (p *process) kill() {
	_ = p.cmd.Process.Kill() // one that is gone already is what we want
	<-p.done
}

// interrupt ends the process as Ctrl-C does, and gives how it ended.
func (p *process) interrupt(t testing.TB) error {
	t.Helper()
	if err := p.cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	p.await(t)
	return p.err
}

// await returns when the process has ended of itself.
func (p *process) await(t testing.TB) {
	t.Helper()
	select {
	case <-p.done:
	case <-time.After(patience):
		t.Fatalf("%v does not end", p.cmd.Args)
	}
}

// running reports whether the process has not ended yet.
func (p *process) running() bool {
	select {
	case <-p.done:
		return false
	default:
		return true
	}
}

// eventually asks again and again until the answer is yes: for what gives no signal, a row of a database say.
func eventually(t testing.TB, what string, yes func() bool) {
	t.Helper()
	if !became(yes) {
		t.Fatalf("waited %v in vain: %s", patience, what)
	}
}

// became is eventually for goroutines that are not the test's own.
func became(yes func() bool) bool {
	ticker := time.NewTicker(20 * time.Millisecond)
	defer ticker.Stop()
	deadline := time.After(patience)
	for !yes() {
		select {
		case <-ticker.C:
		case <-deadline:
			return false
		}
	}
	return true
}
