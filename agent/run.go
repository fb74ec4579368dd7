package main

import (
	"context"
	"os"
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
While it runs, "muster-agent status" prints its status.`
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
	agent := newAgent(s, sections, os.Stderr)
	agent.Logger.Info("agent started", "version", agent.Version, "state", c.State)
	agent.Run(ctx)
	agent.Logger.Info("agent stopped")
	return nil
}
