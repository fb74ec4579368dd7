package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"text/tabwriter"

	"github.com/musterhq/muster/internal/inventory"
)

// agentsCommand lists and decides about agents over a collector's API.
type agentsCommand struct {
	List    listAgentsCommand   `cmd:"" help:"List agents, such as those that wait until you approve them."`
	Approve approveAgentCommand `cmd:"" help:"Approve a pending agent."`
	Refuse  refuseAgentCommand  `cmd:"" help:"Refuse a pending agent."`
	Revoke  revokeAgentCommand  `cmd:"" help:"Revoke an agent and all agents that were forked from it."`
}

type listAgentsCommand struct {
	apiFlags

	State string `default:"all" enum:"pending,approved,refused,revoked,all" help:"Only agents in this state: ${enum}."`
}

// Run prints a table.
func (c listAgentsCommand) Run(ctx context.Context, out io.Writer) error {
	client, err := c.client()
	if err != nil {
		return err
	}
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	// Flush reports errors of all lines.
	_, _ = fmt.Fprintln(table, "AGENT\tSTATE\tHOST NAME\tSERIAL NUMBER\tADDRESS\tTOKEN\tENROLLED")
	query := url.Values{"state": {c.State}, "page_size": {"1000"}}
	for more := true; more; {
		var page struct {
			Items []inventory.Agent `json:"items"`
			Next  string            `json:"next_page_token"`
		}
		if err := client.call(ctx, http.MethodGet, "agents?"+query.Encode(), nil, &page); err != nil {
			return err
		}
		for _, a := range page.Items {
			_, _ = fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%s\t%s\n", a.AgentID, a.State, printable(a.Hostname),
				printable(a.SerialNumber), a.Address, printable(a.Token), a.EnrolledAt.UTC().Format("2006-01-02 15:04"))
		}
		query.Set("page_token", page.Next)
		more = page.Next != ""
	}
	if err := table.Flush(); err != nil {
		return fmt.Errorf("write table: %w", err)
	}
	return nil
}

// decideFlags are the flags of a decision about an agent.
type decideFlags struct {
	apiFlags

	Agent  string `arg:"" help:"The agent's id."`
	Reason string `required:"" help:"Why you decide so. It is kept with the agent."`
}

type (
	approveAgentCommand struct{ decideFlags }
	refuseAgentCommand  struct{ decideFlags }
	revokeAgentCommand  struct{ decideFlags }
)

// Run approves the agent.
func (c approveAgentCommand) Run(ctx context.Context, out io.Writer) error {
	return c.decide(ctx, out, "approve")
}

// Run refuses the agent.
func (c refuseAgentCommand) Run(ctx context.Context, out io.Writer) error {
	return c.decide(ctx, out, "refuse")
}

// Run revokes the agent.
func (c revokeAgentCommand) Run(ctx context.Context, out io.Writer) error {
	return c.decide(ctx, out, "revoke")
}

func (c decideFlags) decide(ctx context.Context, out io.Writer, verb string) error {
	client, err := c.client()
	if err != nil {
		return err
	}
	body, err := json.Marshal(map[string]string{"reason": c.Reason})
	if err != nil {
		return fmt.Errorf("encode reason: %w", err)
	}
	var agent inventory.Agent
	path := "agents/" + url.PathEscape(c.Agent) + "/" + verb
	if err := client.call(ctx, http.MethodPost, path, bytes.NewReader(body), &agent); err != nil {
		return err
	}
	_, err = fmt.Fprintf(out, "agent %s is %s\n", agent.AgentID, agent.State)
	return err
}

// printable returns text that an agent claims without control characters.
func printable(text string) string { return strings.Map(visible, text) }
