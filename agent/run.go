package main

import (
	"context"
	"os"
)

// runCommand stays in the foreground and checks in at the collector's pace.
type runCommand struct {
	stateFlag
	withoutFlag
}

// Help shows examples below the options.
func (runCommand) Help() string {
	return `Examples:
  muster-agent run
  muster-agent run --state ./var/agent
  muster-agent run --without user

It runs until it is interrupted or terminated, and then ends cleanly with exit code 0. It logs to standard error. While it runs,
"muster-agent status" says how it fares.`
}

// Run keeps checking in until ctx ends.
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
