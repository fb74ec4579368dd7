package postgres

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// pidFile is the file in the data directory in which a running server publishes its state.
const pidFile = "postmaster.pid"

const (
	pollInterval  = 10 * time.Millisecond
	stopDeadline  = time.Minute     // for a fast shutdown, which ends with a checkpoint
	quitDeadline  = 5 * time.Second // for an immediate shutdown
	outputLatency = time.Second     // for output that children write after their parent's end
)

// process is a PostgreSQL program that runs as a child of this process.
type process struct {
	cmd  *exec.Cmd
	done chan struct{} // closed when the process has ended
	err  error         // its result; valid after done is closed
}

// command returns a command for one of the server's programs on a data directory, as the server's
// user. The program gets its own process group, so that Ctrl-C in a terminal does not reach it.
func (s *server) command(program, data string, args ...string) (*exec.Cmd, error) {
	//nolint:gosec,noctx // the program was found by findServer; its life is not that of any one context
	cmd := exec.Command(filepath.Join(s.bin, program), args...)
	cmd.Dir = "/"
	// A new environment, because PGPORT and the like of the user would change the server.
	cmd.Env = []string{"PATH=" + s.bin + ":/usr/bin:/bin", "LC_ALL=C", "TZ=UTC"}
	cmd.WaitDelay = outputLatency
	return cmd, s.enter(cmd, data)
}

// begin starts cmd from a thread that lives as long as the child. Linux sends the parent-death
// signal when the thread that forked dies (prctl(2), PR_SET_PDEATHSIG).
func begin(cmd *exec.Cmd) (*process, error) {
	p := &process{cmd: cmd, done: make(chan struct{})}
	started := make(chan error)
	go func() {
		runtime.LockOSThread() // never unlocked: the thread ends with the goroutine
		err := cmd.Start()
		for _, f := range cmd.ExtraFiles {
			_ = f.Close() // the child has its own
		}
		started <- err
		if err == nil {
			p.err = cmd.Wait()
			close(p.done)
		}
	}()
	if err := <-started; err != nil {
		return nil, err
	}
	return p, nil
}

func (p *process) pid() int { return p.cmd.Process.Pid }

// run runs one of the server's programs to its end. The error contains its output.
func (s *server) run(ctx context.Context, program, data, input string, args ...string) error {
	cmd, err := s.command(program, data, args...)
	if err != nil {
		return err
	}
	var output bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(input), &output, &output
	p, err := begin(cmd)
	if err != nil {
		return err
	}
	select {
	case <-p.done:
	case <-ctx.Done():
		_ = cmd.Process.Kill()
		<-p.done
		return ctx.Err()
	}
	if p.err != nil {
		return fmt.Errorf("%s: %w:\n%s", program, p.err, bytes.TrimSpace(output.Bytes()))
	}
	return nil
}

// awaitReady returns when the pid file shows that the server accepts connections. The only deadline
// is ctx, because recovery after a crash may take long.
func (p *process) awaitReady(ctx context.Context, pidFile string) error {
	ticker := time.NewTicker(pollInterval)
	defer ticker.Stop()
	for !p.ready(pidFile) {
		select {
		case <-ticker.C:
		case <-p.done:
			return fmt.Errorf("the server ended before it was ready (%w)", p.exit())
		case <-ctx.Done():
			return fmt.Errorf("wait for the server: %w", ctx.Err())
		}
	}
	return nil
}

// ready reads the pid file: line 1 is the server's process ID, line 8 its state (PostgreSQL,
// miscadmin.h).
func (p *process) ready(pidFile string) bool {
	text, err := os.ReadFile(pidFile) //nolint:gosec // a file of our own directory
	if err != nil {
		return false
	}
	lines := strings.Split(string(text), "\n")
	return len(lines) >= 8 && lines[0] == strconv.Itoa(p.pid()) && strings.TrimSpace(lines[7]) == "ready"
}

func (p *process) exit() error {
	if p.err == nil {
		return errors.New("exit status 0")
	}
	return p.err
}

// stop ends the server and returns when it has ended. It escalates: SIGINT is a fast shutdown,
// SIGQUIT an immediate one.
func (p *process) stop(ctx context.Context) error {
	graceful, cancel := context.WithTimeout(ctx, stopDeadline)
	defer cancel()
	if p.endsBy(graceful, syscall.SIGINT) {
		return p.err
	}
	immediate, cancel := context.WithTimeout(context.WithoutCancel(ctx), quitDeadline)
	defer cancel()
	if !p.endsBy(immediate, syscall.SIGQUIT) {
		_ = p.cmd.Process.Kill() // fails only if the process has ended
		<-p.done
	}
	return errors.New("the server did not end in time and was stopped without a checkpoint")
}

func (p *process) endsBy(ctx context.Context, signal os.Signal) bool {
	_ = p.cmd.Process.Signal(signal) // fails only if the process has ended
	select {
	case <-p.done:
		return true
	case <-ctx.Done():
		return false
	}
}
