package e2e

import (
	"errors"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// demo is a muster-collector demo that can run repeatedly in one directory.
type demo struct {
	*process

	dir        string
	http, grpc string // addresses
	out, err   *output
}

func newDemo(t testing.TB) *demo {
	t.Helper()
	return &demo{dir: filepath.Join(t.TempDir(), "var"), http: freeAddress(t), grpc: freeAddress(t)}
}

// freeAddress returns an address without a listener.
func freeAddress(t testing.TB) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = listener.Close() }()
	return listener.Addr().String()
}

// launch starts the demo.
func (d *demo) launch(t testing.TB) {
	t.Helper()
	cmd := exec.Command(built.collector, "demo", "--var", d.dir, "--http-addr", d.http, "--grpc-addr", d.grpc, "--agent", built.agent)
	d.out, d.err = &output{}, &output{}
	cmd.Stdout, cmd.Stderr = d.out, d.err
	d.process = begin(t, cmd)
}

// start starts the demo and returns the API when the inventory is complete.
func (d *demo) start(t testing.TB) *collector {
	t.Helper()
	d.launch(t)
	eventually(t, "the demo to have shown everything", func() bool {
		return !d.running() || strings.Contains(d.out.String(), "Running until Ctrl-C.")
	})
	if !d.running() {
		t.Fatalf("the demo ended: %v\n%s%s", d.process.err, d.out, d.err)
	}
	token, err := os.ReadFile(filepath.Join(d.dir, "admin.token"))
	if err != nil {
		t.Fatal(err)
	}
	return &collector{base: "http://" + d.http, token: strings.TrimSpace(string(token))}
}

// postmaster returns the process of the demo's PostgreSQL.
func (d *demo) postmaster(t testing.TB) *os.Process {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(d.dir, "postgres", "data", "postmaster.pid"))
	if err != nil {
		t.Fatal(err)
	}
	line, _, _ := strings.Cut(string(text), "\n")
	pid, err := strconv.Atoi(line)
	if err != nil {
		t.Fatal(err)
	}
	process, err := os.FindProcess(pid)
	if err != nil {
		t.Fatal(err)
	}
	return process
}

func gone(p *os.Process) bool {
	err := p.Signal(syscall.Signal(0))
	return errors.Is(err, os.ErrProcessDone) || errors.Is(err, syscall.ESRCH)
}

// TestDemo runs the demo repeatedly in one directory, and ends it in different ways. It always
// finds the same machine.
func TestDemo(t *testing.T) {
	t.Parallel()
	d := newDemo(t)
	d.checkTakenPorts(t)

	// Ctrl-C while PostgreSQL is set up for the first time.
	d.launch(t)
	eventually(t, "its first words", func() bool { return d.out.String() != "" })
	if err := d.interrupt(t); err != nil || d.err.String() != "" {
		t.Errorf("Ctrl-C at once: %v, %q", err, d.err)
	}

	found := inventoried(t)
	c := d.start(t)
	devices := c.devices(t)
	if len(devices) != 1 {
		t.Fatalf("got %d devices, want this machine", len(devices))
	}
	for i, end := range []func(testing.TB){d.endByCtrlC, d.endByCtrlC, d.endByKill} {
		end(t)
		c = d.start(t)
		same := cmp.FilterPath(func(p cmp.Path) bool { return p.Last().String() == ".Agents" }, cmp.Ignore())
		if diff := cmp.Diff(devices, c.devices(t), same); diff != "" {
			t.Errorf("run %d: devices (-before +now):\n%s", i+2, diff)
		}
		if cmp.Equal(found, inventoried(t)) {
			checkFeed(t, c, devices[0].ID, nil)
		}
	}
	d.endByCtrlC(t)
}

// endByCtrlC checks that the demo ends cleanly and leaves no process.
func (d *demo) endByCtrlC(t testing.TB) {
	t.Helper()
	postmaster := d.postmaster(t)
	if err := d.interrupt(t); err != nil {
		t.Errorf("after Ctrl-C: %v\n%s", err, d.err)
	}
	if !gone(postmaster) {
		t.Error("after Ctrl-C PostgreSQL still runs")
	}
	if d.err.String() != "" {
		t.Errorf("got errors %q", d.err)
	}
}

// endByKill checks that PostgreSQL ends when the demo is killed.
func (d *demo) endByKill(t testing.TB) {
	t.Helper()
	postmaster := d.postmaster(t)
	d.kill()
	eventually(t, "the end of PostgreSQL after kill -9", func() bool { return gone(postmaster) })
}

// checkTakenPorts checks that the demo reports a used address in one line, before it creates
// anything.
func (d *demo) checkTakenPorts(t testing.TB) {
	t.Helper()
	for flag, address := range map[string]string{"--http-addr": d.http, "--grpc-addr": d.grpc} {
		listener, err := net.Listen("tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		d.launch(t)
		d.await(t)
		_ = listener.Close()
		if d.process.err == nil {
			t.Error("it ended well although it could not listen")
		}
		words := strings.TrimSpace(d.err.String())
		if !strings.Contains(words, "another program uses "+address+"; choose another address with "+flag) || strings.Contains(words, "\n") {
			t.Errorf("got %q, want one line that says what to do", words)
		}
		if exists(filepath.Join(d.dir, "postgres")) {
			t.Error("PostgreSQL was set up all the same")
		}
	}
}

// TestCollectorStopsItsDatabase: serve leaves no process, and committed data is there afterwards.
func TestCollectorStopsItsDatabase(t *testing.T) {
	t.Parallel()
	c, m := newCollector(t, ""), newMachine(130, "S1")
	p := newProxy(t, c.agents)
	a := enroll(t, c, p.address, m)
	a.mustSync(t)
	d := &demo{dir: c.dir}
	began := time.Now()
	postmaster := d.postmaster(t)
	stop := a.run(t) // an open conversation does not delay the end
	c.stop(t)
	stop()
	if !gone(postmaster) {
		t.Error("PostgreSQL still runs")
	}
	t.Logf("stopped within %v", time.Since(began))
	c.start(t)
	p.aim(c.agents)
	checkEqual(t, c, a, m)
	truth := [][]change{m.change()}
	a.mustSync(t)
	checkFeed(t, c, a.device, truth)
}
