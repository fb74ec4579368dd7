package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"text/tabwriter"
	"time"

	"github.com/musterhq/muster/agent/link"
	"github.com/musterhq/muster/agent/state"
	"github.com/musterhq/muster/internal/inventory"
)

// syncCommand checks in once.
type syncCommand struct {
	stateFlag
	withoutFlag
}

// Help returns the text below the options.
func (syncCommand) Help() string {
	return `Examples:
  muster-agent sync
  muster-agent sync --state ./var/agent
  muster-agent sync --without user

Exit codes:
  0   the collector has committed this machine's inventory
  1   it has not; standard error has the reason, and nothing is lost
  80  the command line is wrong
A section that could not be collected does not change the exit code.`
}

// Run collects the sections, checks in once and prints the result.
func (c syncCommand) Run(ctx context.Context, out io.Writer) error {
	sections, err := c.collectors()
	if err != nil {
		return err
	}
	s, err := openEnrolled(c.State)
	if err != nil {
		return err
	}
	defer func() { _ = s.Close() }()
	agent, _ := newAgent(s, sections, slog.New(slog.NewTextHandler(os.Stderr, nil)))
	report, err := agent.Sync(ctx)
	if err != nil {
		return errors.New(link.Explain(err))
	}
	return printReport(out, report)
}

// openEnrolled opens the state of an enrolled agent. It makes no state directory if the agent is
// not enrolled.
func openEnrolled(dir string) (*state.State, error) {
	if _, err := state.ReadIdentity(dir); err != nil {
		return nil, err
	}
	return state.Open(dir)
}

func printReport(out io.Writer, r link.Report) error {
	sent := map[string]string{}
	for _, s := range r.Sections {
		sent[s.Section] = describe(s)
	}
	printSections(out, r.Inventory, sent)
	printVerdicts(out, r.Verdicts)
	_, err := fmt.Fprintf(out,
		"\n%d bytes sent, %d received; collected in %v, acknowledged in %v; next check-in in %v\n",
		r.BytesSent, r.BytesReceived, r.Collecting.Round(time.Millisecond), r.Syncing.Round(time.Millisecond), r.Next)
	return err
}

func describe(s link.Sent) string {
	if s.Whole {
		return fmt.Sprintf("whole, %d bytes", s.Bytes)
	}
	return fmt.Sprintf("+%d -%d, %d bytes", s.Added, s.Removed, s.Bytes)
}

// printSections prints one line per section and its message. sent adds what was sent of a section;
// it may be nil.
func printSections(out io.Writer, sections []state.Section, sent map[string]string) {
	t := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	for _, s := range sections {
		_, _ = fmt.Fprintf(t, "%s\t%s\t%d items\t%s\n", s.Section, s.Status, s.Items, sent[s.Section])
	}
	_ = t.Flush()
	for _, s := range sections {
		if s.Message != "" {
			_, _ = fmt.Fprintf(out, "%s: %s\n", s.Section, plain(s.Message))
		}
	}
}

func printVerdicts(out io.Writer, verdicts []inventory.Verdict) {
	for _, v := range verdicts {
		_, _ = fmt.Fprintf(out, "%s %s: %s: %s\n", plain(v.Section), plain(v.Item), plain(v.Outcome), plain(v.Reason))
	}
}
