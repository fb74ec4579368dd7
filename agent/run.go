package main

import (
	"context"
	"os"

	"github.com/musterhq/muster/agent/host"
)

// runCommand runs in the foreground and checks in at the interval that the collector sets.
type runCommand struct {
	stateFlag
	withoutFlag
}

// Help returns the text below the options.
func (runCommand) Help() string {
	return `Examples:
  muster-agent run
  muster-agent run --state ./var/agent
  muster-agent run --without user

The command runs until it is interrupted or terminated, and then exits with code 0. It logs to standard error.
While it runs, "muster-agent status" prints its status. It starts itself again if a section does not end; where that is
not possible, on Windows, it exits with code 1.`
}

// Run checks in until ctx ends.
func (c runCommand) Run(ctx context.Context) error {
	sections, err := c.collectors()
	if err != nil {
		return err
	}
	s, err := openEnrolled(c.State)
	if err != nil {
		return err
	}
	defer func() { _ = s.Close() }()
	agent, runner := newAgent(s, sections, os.Stderr)
	runner.Runaway = func(name string) {
		agent.Logger.Error("restarting: a section takes memory without end", "section", name)
		_ = s.SetCollecting("") // the failure is remembered already
		agent.Logger.Error("not restarted; the service manager must do it", "error", host.Restart())
		os.Exit(1)
	}
	agent.Logger.Info("agent started", "version", agent.Version, "state", c.State)
	agent.Run(ctx)
	if stuck := runner.Stuck(); len(stuck) > 0 && ctx.Err() == nil {
		agent.Logger.Warn("restarting: sections have not ended", "sections", stuck)
		return host.Restart()
	}
	agent.Logger.Info("agent stopped")
	return nil
}
