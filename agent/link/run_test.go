package link_test

import (
	"context"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/musterhq/muster/agent/link"
	"github.com/musterhq/muster/agent/state"
)

// start runs the agent until the end of the test or stop, which waits for the agent's end.
func start(t *testing.T, a *link.Agent) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		a.Run(ctx)
	}()
	stop = func() {
		cancel()
		<-done
	}
	t.Cleanup(stop)
	return stop
}

func await(t *testing.T, c *collector) {
	t.Helper()
	select {
	case <-c.committed:
	case <-time.After(20 * time.Second):
		t.Fatal("no check-in came")
	}
}

func TestRunChecksInAtThePaceAndWhenAsked(t *testing.T) {
	t.Parallel()
	c, m := newCollector(t), newMachine("bash")
	a := newAgent(t, c, m)
	stop := start(t, a)
	await(t, c)
	m.with(func() { m.software = packages("bash", "zsh") })
	c.collect <- struct{}{}
	await(t, c)
	checkHeld(t, c, m, a)
	c.with(func() { c.next = 1 })
	c.collect <- struct{}{}
	await(t, c)
	await(t, c) // a second later, by itself
	stop()
	if c.received[0].GetHello() == nil || c.received[1].GetHello() != nil {
		t.Error("a stream has one hello, in its first check-in")
	}
}

func TestRunReceivesANewKeyWhileIdle(t *testing.T) {
	t.Parallel()
	c, m := newCollector(t), newMachine("bash")
	a := newAgent(t, c, m)
	stop := start(t, a)
	await(t, c)
	c.with(func() { c.rekey = "in use on another machine" })
	c.collect <- struct{}{}
	await(t, c)
	stop()
	if got := calls(c); got != "Enroll Rekey" {
		t.Errorf("got calls %q", got)
	}
	checkHeld(t, c, m, a)
}

// TestRunGetsSlowerWhileTheCollectorIsAway simulates days with a fake clock.
func TestRunGetsSlowerWhileTheCollectorIsAway(t *testing.T) {
	t.Parallel()
	c, m := newCollector(t), newMachine("bash")
	dir := enrolled(t, c, m)
	synctest.Test(t, func(t *testing.T) {
		s, err := state.Open(dir)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = s.Close() }()
		identity, err := s.Identity()
		if err != nil {
			t.Fatal(err)
		}
		identity.Authorities = nil // fails before anything is dialed
		identity.Received = time.Now()
		identity.Collector = "collector.invalid:1"
		if err := s.SetIdentity(identity); err != nil {
			t.Fatal(err)
		}
		failures := &counter{}
		a := &link.Agent{State: s, Collect: m.collect, Logger: slog.New(slog.NewTextHandler(failures, nil))}
		ctx, cancel := context.WithTimeout(t.Context(), 24*time.Hour)
		defer cancel()
		a.Run(ctx)
		// At the cap a wait has 7.5 minutes on average: 192 in a day.
		if got := failures.writes; got < 150 || got > 240 {
			t.Errorf("got %d attempts in a day, want about 195", got)
		}
	})
}

// counter counts the writes to it.
type counter struct{ writes int }

func (c *counter) Write(p []byte) (int, error) {
	c.writes++
	return len(p), nil
}

func TestRestartAfterAFailureIsNotFaster(t *testing.T) {
	t.Parallel()
	c, m := newCollector(t), newMachine("bash")
	a := newAgent(t, c, m)
	if err := a.State.SetStatus(state.Status{LastError: "x", NextCheckIn: birth.Add(10 * time.Minute)}); err != nil {
		t.Fatal(err)
	}
	start(t, a)
	select {
	case <-c.committed:
		t.Error("it checked in at once")
	case <-time.After(200 * time.Millisecond):
	}
}

func TestStopIsNotAFailure(t *testing.T) {
	t.Parallel()
	c, m := newCollector(t), newMachine("bash")
	a := newAgent(t, c, m)
	stop := start(t, a)
	await(t, c)
	stop()
	if status, err := a.State.Status(); err != nil || status.LastError != "" {
		t.Errorf("got %+v, %v; want no error", status, err)
	}
	if _, err := a.Sync(t.Context()); err != nil {
		t.Errorf("afterwards: %v", err)
	}
	canceled, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := a.Sync(canceled); err == nil || !strings.Contains(link.Explain(err), "stopped") {
		t.Errorf("canceled: got %v", err)
	}
}

// TestRunEndsAfterTheReport: a process that must end does so after the collector has its report.
func TestRunEndsAfterTheReport(t *testing.T) {
	t.Parallel()
	c, m := newCollector(t), newMachine("bash")
	a := newAgent(t, c, m)
	a.Ended = func() bool { return true }
	done := make(chan struct{})
	go func() {
		defer close(done)
		a.Run(t.Context())
	}()
	await(t, c)
	select {
	case <-done:
	case <-time.After(20 * time.Second):
		t.Error("the agent still runs")
	}
	checkHeld(t, c, m, a)
}
