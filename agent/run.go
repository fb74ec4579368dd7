package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"github.com/musterhq/muster/agent/host"
	"github.com/musterhq/muster/agent/link"
	"github.com/musterhq/muster/agent/section"
	"github.com/musterhq/muster/agent/state"
	"github.com/musterhq/muster/internal/osservice"
)

// runCommand enrolls the machine if it is not enrolled yet, and checks in at the interval that the
// collector sets.
type runCommand struct {
	stateFlag
	withoutFlag
	enrollmentFlags
}

// tokenFile is the name of the file in the state directory in which an installer or an image leaves
// the enrollment token.
const tokenFile = "enrollment-token"

// Help returns the text below the options.
func (runCommand) Help() string {
	return `Examples:
  muster-agent run
  muster-agent run --state ./var/agent
  muster-agent run --without user

The command runs until it is interrupted or terminated, and then exits with code 0. It logs to standard error, and on
Windows to the Event Log when it runs as a service. While it runs, "muster-agent status" prints its status. It starts
itself again if a section does not end; where that is not possible, on Windows, it exits with code 1.

If this machine is not enrolled, the command enrolls it with the options above, and retries until that succeeds. Their
environment variables may be in ` + settingsFile() + `, and the token in the file
` + tokenFile + ` of the state directory. The command deletes the token's file when this machine is enrolled.
Exit code 78: this machine is not enrolled, and the settings to enroll it are missing.`
}

// exitError is an error with an exit code.
type exitError struct {
	error
	code int
}

// ExitCode implements kong.ExitCoder.
func (e exitError) ExitCode() int { return e.code }

// Run checks in until ctx ends.
func (c runCommand) Run(ctx context.Context) error {
	sections, err := c.collectors()
	if err != nil {
		return err
	}
	return osservice.Run(ctx, serviceName, func(ctx context.Context, logger *slog.Logger) error {
		return c.run(ctx, sections, logger)
	})
}

func (c runCommand) run(ctx context.Context, sections []section.Collector, logger *slog.Logger) error {
	s, err := c.open(ctx, logger)
	if err != nil || s == nil {
		return err
	}
	defer func() { _ = s.Close() }()
	agent, runner := newAgent(s, sections, logger)
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

// open opens the state, after enrolling the machine if necessary. It returns nil if ctx ends first.
func (c runCommand) open(ctx context.Context, logger *slog.Logger) (*state.State, error) {
	c.TokenFile = c.tokenFile()
	_, err := state.ReadIdentity(c.State)
	if err == nil {
		c.eraseToken(logger)
		return state.Open(c.State)
	}
	if !errors.Is(err, state.ErrNotEnrolled) {
		return nil, err
	}
	enrollment, err := c.enrollment()
	if err != nil {
		return nil, exitError{fmt.Errorf("this machine is not enrolled and cannot enroll itself: %w; "+
			"run muster-agent configure, or write MUSTER_COLLECTOR, MUSTER_CA_PIN and MUSTER_TOKEN to %s, "+
			"and start the service again", err, settingsFile()), osservice.ExitNoRestart}
	}
	s, err := state.Open(c.State)
	if err != nil {
		return nil, err
	}
	identity, ok := enrollUntil(ctx, withClaims(ctx, enrollment), s, logger)
	if !ok {
		return nil, s.Close()
	}
	if err := replaceIdentity(s, identity); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	logger.Info("enrolled", "agent", identity.AgentID, "collector", identity.Collector)
	c.eraseToken(logger)
	return s, nil
}

// enrollUntil tries to enroll until it succeeds or ctx ends, which it reports as false. The
// collector may be down or unreachable when the machine starts for the first time.
func enrollUntil(ctx context.Context, e link.Enrollment, s *state.State, logger *slog.Logger) (state.Identity, bool) {
	for failures := 1; ; failures++ {
		identity, err := link.Enroll(ctx, e, nil)
		if err == nil {
			return identity, true
		}
		if ctx.Err() != nil {
			return identity, false
		}
		wait := link.BackoffAfter(failures, err)
		logger.Warn("enrollment failed", "error", link.Explain(err), "retry_in", wait.Round(time.Second))
		now := time.Now()
		status := state.Status{LastError: link.Explain(err), LastErrorAt: now, NextCheckIn: now.Add(wait)}
		if err := s.SetStatus(status); err != nil {
			logger.Warn("cannot store the status", "error", err)
		}
		if !link.Sleep(ctx, wait) {
			return identity, false
		}
	}
}

// tokenFile returns the file that contains the token, or "".
func (c runCommand) tokenFile() string {
	if c.TokenFile != "" {
		return c.TokenFile
	}
	name := filepath.Join(c.State, tokenFile)
	if _, err := os.Stat(name); err != nil {
		return ""
	}
	return name
}

// eraseToken deletes the token's file, because the token would enroll other machines too.
func (c runCommand) eraseToken(logger *slog.Logger) {
	if c.TokenFile == "" {
		return
	}
	if err := os.Remove(c.TokenFile); err != nil && !errors.Is(err, fs.ErrNotExist) {
		logger.Warn("cannot delete the enrollment token", "error", err)
	}
}
