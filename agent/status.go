package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"text/tabwriter"
	"time"

	"github.com/musterhq/muster/agent/link"
	"github.com/musterhq/muster/agent/state"
)

// statusCommand prints the agent's status. It also works while the agent runs.
type statusCommand struct {
	stateFlag
	Output string `short:"o" enum:"json,table" default:"table" help:"json or table."`
}

// Help returns the text below the options.
func (statusCommand) Help() string {
	return `Examples:
  muster-agent status
  muster-agent status -o json

The command reads the state directory only. It does not contact the collector and prints no secrets.

Exit codes:
  0  enrolled, and the last check-in succeeded
  1  not enrolled, the last check-in failed, or a check-in is more than an hour late`
}

// agentStatus is the output of the command. Times come from this machine's clock.
type agentStatus struct {
	Enrolled    bool               `json:"enrolled"`
	AgentID     string             `json:"agent_id,omitempty"`
	Collector   string             `json:"collector,omitempty"`
	CAPin       string             `json:"ca_pin,omitempty"`
	Certificate *certificateStatus `json:"certificate,omitempty"`
	state.Status
}

type certificateStatus struct {
	Received  time.Time `json:"received"`
	RenewAt   time.Time `json:"renew_at"`
	ExpiresAt time.Time `json:"expires_at"`
	Expired   bool      `json:"expired"`
}

// Run prints the status, also of an agent that is not enrolled. The error reports a status that
// somebody has to act on.
func (c statusCommand) Run(out io.Writer) error {
	now := time.Now()
	status, err := readStatus(c.State, now)
	if err != nil {
		return err
	}
	if err := c.print(out, status); err != nil {
		return err
	}
	return status.problem(now)
}

func (c statusCommand) print(out io.Writer, status agentStatus) error {
	if c.Output == outputTable {
		return status.print(out)
	}
	encoder := json.NewEncoder(out)
	encoder.SetIndent("", "  ")
	return encoder.Encode(status)
}

// late is how long a check-in may be overdue. A machine that was asleep checks in as soon as it
// wakes.
const late = time.Hour

// problem returns what is wrong with the agent, or nil.
func (s agentStatus) problem(now time.Time) error {
	switch {
	case !s.Enrolled:
		return errors.New("this machine is not enrolled")
	case s.LastError != "":
		return errors.New("the last check-in failed")
	case s.LastAck.IsZero():
		return errors.New("this machine is enrolled and has never checked in")
	case now.Sub(s.NextCheckIn) > late:
		return fmt.Errorf("the check-in of %s is overdue: is the service running?", instant(s.NextCheckIn, ""))
	}
	return nil
}

func readStatus(dir string, now time.Time) (agentStatus, error) {
	last, err := state.ReadStatus(dir)
	if err != nil {
		return agentStatus{}, err
	}
	identity, err := state.ReadIdentity(dir)
	if errors.Is(err, state.ErrNotEnrolled) {
		return agentStatus{Status: last}, nil // of the attempts to enroll
	}
	if err != nil {
		return agentStatus{}, err
	}
	expires := link.ExpiresAt(identity).UTC()
	return agentStatus{
		Enrolled: true, AgentID: identity.AgentID, Collector: identity.Collector, CAPin: identity.Pin, Status: last,
		Certificate: &certificateStatus{
			Received: identity.Received.UTC(), RenewAt: link.RenewAt(identity).UTC(),
			ExpiresAt: expires, Expired: !now.Before(expires),
		},
	}, nil
}

func (s agentStatus) print(out io.Writer) error {
	if !s.Enrolled {
		_, err := fmt.Fprintln(out, "not enrolled: run muster-agent enroll")
		if s.LastError != "" {
			_, err = fmt.Fprintf(out, "last attempt: %s (%s), next: %s\n",
				plain(s.LastError), instant(s.LastErrorAt, ""), instant(s.NextCheckIn, "unknown"))
		}
		return err
	}
	t := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	line := func(name, value string) { _, _ = fmt.Fprintf(t, "%s\t%s\n", name, value) }
	line("agent", s.AgentID)
	line("collector", s.Collector)
	line("CA pin", s.CAPin)
	line("certificate", s.Certificate.describe())
	line("last ack", instant(s.LastAck, "never"))
	line("next check-in", instant(s.NextCheckIn, "unknown"))
	if s.LastError != "" {
		line("last error", plain(s.LastError)+" ("+instant(s.LastErrorAt, "")+")")
	}
	if err := t.Flush(); err != nil {
		return err
	}
	if len(s.Sections) > 0 {
		_, _ = fmt.Fprintln(out)
		printSections(out, s.Sections, nil)
	}
	printVerdicts(out, s.Verdicts)
	return nil
}

func (c certificateStatus) describe() string {
	if c.Expired {
		return "expired " + instant(c.ExpiresAt, "") + "; the next check-in renews it"
	}
	return "valid until " + instant(c.ExpiresAt, "") + ", renewal due at " + instant(c.RenewAt, "")
}

func instant(t time.Time, none string) string {
	if t.IsZero() {
		return none
	}
	return t.UTC().Format(time.RFC3339)
}
