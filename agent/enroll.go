package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/musterhq/muster/agent/host"
	"github.com/musterhq/muster/agent/link"
	"github.com/musterhq/muster/agent/section"
	"github.com/musterhq/muster/agent/section/operatingsystem"
	"github.com/musterhq/muster/agent/section/system"
	"github.com/musterhq/muster/agent/state"
	"github.com/musterhq/muster/internal/pki"
	inventoryv1 "github.com/musterhq/muster/proto/muster/inventory/v1"
)

// enrollmentFlags are the options of an enrollment.
type enrollmentFlags struct {
	Collector string `env:"MUSTER_COLLECTOR" placeholder:"HOST:PORT" help:"The collector's address."`
	Token     string `env:"MUSTER_TOKEN" placeholder:"TOKEN" help:"An enrollment token. Other users can see it in the process list while the command runs; prefer --token-file or MUSTER_TOKEN."`
	TokenFile string `env:"MUSTER_TOKEN_FILE" placeholder:"FILE" help:"A file that contains the enrollment token."`
	CAPin     string `name:"ca-pin" env:"MUSTER_CA_PIN" placeholder:"sha256:HEX" help:"The pin of the collector's certificate authority. The collector prints it with the token."`
}

// enrollCommand enrolls this machine with a collector.
type enrollCommand struct {
	stateFlag
	enrollmentFlags
	Force bool `help:"Enroll again even if this machine is already enrolled. This deletes its old identity."`
}

// Help returns the text below the options.
func (enrollCommand) Help() string {
	return `Examples:
  muster-agent enroll --collector muster.example.com:8443 --token-file token --ca-pin sha256:1f0c…
  MUSTER_TOKEN=muster_enroll_… muster-agent enroll --collector 192.0.2.7:8443 --ca-pin sha256:1f0c…

If this machine is already enrolled with that collector, the command does nothing. If it is enrolled with another
address of the same authority, it reports to the new address from now on. A failed enrollment leaves no files.
The command uses HTTPS_PROXY and NO_PROXY. The environment variables of the options may also be in the file
` + settingsFile() + `, one NAME=VALUE per line.`
}

// Run enrolls this machine and stores the identity.
func (c enrollCommand) Run(ctx context.Context, out io.Writer) error {
	enrollment, err := c.enrollment()
	if err != nil {
		return err
	}
	if existing, err := state.ReadIdentity(c.State); err == nil && !c.Force {
		return c.alreadyEnrolled(existing, enrollment, out)
	}
	s, err := state.Open(c.State)
	if err != nil {
		return err
	}
	identity, err := link.Enroll(ctx, withClaims(ctx, enrollment), nil)
	if err != nil {
		return errors.Join(errors.New(link.Explain(err)), s.Discard())
	}
	defer func() { _ = s.Close() }()
	if err := replaceIdentity(s, identity); err != nil {
		return err
	}
	_, err = fmt.Fprintf(out, "enrolled as %s with %s\n", identity.AgentID, identity.Collector)
	return err
}

// replaceIdentity removes the state of the previous identity before it stores the new one.
func replaceIdentity(s *state.State, identity state.Identity) error {
	if err := s.Forget(); err != nil {
		return err
	}
	if err := s.SetStatus(state.Status{}); err != nil {
		return err
	}
	return s.SetIdentity(identity)
}

// enrollment checks the options and reads the token.
func (c enrollmentFlags) enrollment() (link.Enrollment, error) {
	e := link.Enrollment{Collector: c.Collector, Token: c.Token, Pin: strings.ToLower(c.CAPin)}
	if c.TokenFile != "" {
		text, err := os.ReadFile(c.TokenFile)
		if err != nil {
			return e, fmt.Errorf("read token: %w", err)
		}
		e.Token = string(text)
	}
	e.Token = strings.TrimSpace(e.Token)
	if e.Token == "" {
		return e, errors.New("no enrollment token: set --token, --token-file or MUSTER_TOKEN")
	}
	if e.Collector == "" || e.Pin == "" {
		return e, errors.New("no collector: set --collector and --ca-pin")
	}
	if err := link.CheckAddress(e.Collector); err != nil {
		return e, err
	}
	return e, pki.CheckPin(e.Pin)
}

// withClaims adds the serial number and the host name of this machine, as far as they are known.
func withClaims(ctx context.Context, e link.Enrollment) link.Enrollment {
	collectors := []section.Collector{system.Collector(), operatingsystem.Collector()}
	for _, report := range section.Run(ctx, host.Local(), collectors) {
		for _, item := range report.Items {
			switch item := item.(type) {
			case *inventoryv1.System:
				e.SerialNumber = item.GetSerialNumber()
			case *inventoryv1.OperatingSystem:
				e.Hostname = item.GetHostname()
			}
		}
	}
	return e
}

// alreadyEnrolled keeps the identity. The authority identifies the collectors, so a new address
// with the same authority needs no new enrollment.
func (c enrollCommand) alreadyEnrolled(existing state.Identity, wanted link.Enrollment, out io.Writer) error {
	if existing.Pin != wanted.Pin {
		return fmt.Errorf("this machine is enrolled with %s, which has another certificate authority; "+
			"use --force to enroll again", existing.Collector)
	}
	if existing.Collector == wanted.Collector {
		_, err := fmt.Fprintf(out, "already enrolled as %s with %s; nothing to do\n",
			existing.AgentID, existing.Collector)
		return err
	}
	s, err := state.Open(c.State)
	if err != nil {
		return err
	}
	defer func() { _ = s.Close() }()
	existing.Collector = wanted.Collector
	if err := s.SetIdentity(existing); err != nil {
		return err
	}
	_, err = fmt.Fprintf(out, "already enrolled as %s; reports to %s from now on\n",
		existing.AgentID, existing.Collector)
	return err
}
