package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"text/tabwriter"
	"time"
)

type demoCommand struct {
	Var      string `default:"./var" help:"Directory for all data." type:"path"`
	HTTPAddr string `default:"127.0.0.1:8080" help:"Address of the REST API." name:"http-addr"`
	GRPCAddr string `default:"127.0.0.1:8443" help:"Address for the agent." name:"grpc-addr"`
	Agent    string `default:"bin/muster-agent" help:"Path of the agent's executable." type:"path"`
}

// Help implements kong.HelpProvider.
func (demoCommand) Help() string {
	return `Starts a collector with a private PostgreSQL, enrolls an agent for this machine, syncs,
and prints the result.
Runs until Ctrl-C. With the same --var a second run finds the same machine.`
}

// Run shows the main use case, end to end.
func (c demoCommand) Run(ctx context.Context, out io.Writer) error {
	d := demo{demoCommand: c, out: out, began: time.Now()}
	// Warnings only: the demo prints its steps itself.
	logger := slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn}))

	d.stepf("starting the collector and its PostgreSQL in %s", c.Var)
	flags := serveFlags{
		HTTPAddr: c.HTTPAddr, GRPCAddr: c.GRPCAddr, MetricsAddr: "127.0.0.1:0", DataDir: c.Var,
		CheckInInterval: 15 * time.Minute, MinFree: 1 << 30, // the defaults of serve
	}
	running, err := start(ctx, flags, logger)
	if err != nil {
		return unlessStopped(ctx, err)
	}
	if err := d.inventory(ctx, running); err != nil {
		running.close()
		return unlessStopped(ctx, err)
	}
	_, _ = fmt.Fprintf(out, "\nRunning until Ctrl-C.\n")
	return running.wait(ctx)
}

// demo is one run of the command.
type demo struct {
	demoCommand

	out   io.Writer
	began time.Time
	token string // the admin's API token
	base  string // the API's URL
}

func (d *demo) stepf(format string, args ...any) {
	_, _ = fmt.Fprintf(d.out, "[%5.1fs] %s\n", time.Since(d.began).Seconds(), fmt.Sprintf(format, args...))
}

func (d *demo) state() string { return filepath.Join(d.Var, "agent") }

// inventory enrolls the agent, syncs it and prints the result from the API.
func (d *demo) inventory(ctx context.Context, running *collector) error {
	text, err := os.ReadFile(running.tokenFile)
	if err != nil {
		return fmt.Errorf("read admin token: %w", err)
	}
	d.token, d.base = strings.TrimSpace(string(text)), running.apiURL()

	d.stepf("creating an enrollment token")
	var enrollment struct {
		Token string `json:"token"`
		CAPin string `json:"ca_pin"`
	}
	body := map[string]any{"name": "make run", "max_uses": 1, "expires_in": "10m"}
	if err := d.call(ctx, http.MethodPost, "/api/v1/enrollment-tokens", body, &enrollment); err != nil {
		return err
	}
	d.stepf("enrolling this machine's agent")
	if err := d.agent(ctx, []string{"MUSTER_TOKEN=" + enrollment.Token},
		"enroll", "--state", d.state(), "--collector", running.grpcAddr, "--ca-pin", enrollment.CAPin); err != nil {
		return err
	}
	d.stepf("inventory and sync")
	if err := d.agent(ctx, nil, "sync", "--state", d.state()); err != nil {
		return err
	}
	d.stepf("done")
	return d.show(ctx, running)
}

// agent runs the agent and prints its output.
func (d *demo) agent(ctx context.Context, env []string, args ...string) error {
	cmd := exec.CommandContext(ctx, d.Agent, args...) //nolint:gosec // the program that the caller named
	cmd.Env = append(os.Environ(), env...)
	cmd.Stdout, cmd.Stderr = d.out, os.Stderr
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("muster-agent %s: %w", args[0], err)
	}
	return nil
}

// call calls the API as a client.
func (d *demo) call(ctx context.Context, method, path string, body, result any) error {
	encoded, err := json.Marshal(body)
	if err != nil {
		return fmt.Errorf("encode request: %w", err)
	}
	req, err := http.NewRequestWithContext(ctx, method, d.base+path, bytes.NewReader(encoded))
	if err != nil {
		return fmt.Errorf("make request: %w", err)
	}
	req.Header.Set("Authorization", "Bearer "+d.token)
	req.Header.Set("Content-Type", "application/json")
	response, err := http.DefaultClient.Do(req)
	if err != nil {
		return fmt.Errorf("call API: %w", err)
	}
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		return fmt.Errorf("read response: %w", err)
	}
	if response.StatusCode >= http.StatusBadRequest {
		return fmt.Errorf("%s %s: %s: %s", method, path, response.Status, text)
	}
	if err := json.Unmarshal(text, result); err != nil {
		return fmt.Errorf("decode response: %w", err)
	}
	return nil
}

// agentID returns the id of the agent of this run.
func (d *demo) agentID(ctx context.Context) (string, error) {
	args := []string{"status", "--state", d.state(), "--output", "json"}
	cmd := exec.CommandContext(ctx, d.Agent, args...) //nolint:gosec // as in agent
	text, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("muster-agent status: %w", err)
	}
	var status struct {
		AgentID string `json:"agent_id"`
	}
	if err := json.Unmarshal(text, &status); err != nil {
		return "", fmt.Errorf("decode agent status: %w", err)
	}
	return status.AgentID, nil
}

// show prints the API's data about this machine.
func (d *demo) show(ctx context.Context, running *collector) error {
	agentID, err := d.agentID(ctx)
	if err != nil {
		return err
	}
	id, err := running.store.DeviceOfAgent(ctx, agentID)
	if err != nil {
		return err
	}
	var device struct {
		Name         string `json:"name"`
		Class        string `json:"class"`
		Manufacturer string `json:"manufacturer"`
		Model        string `json:"model"`
		OSName       string `json:"os_name"`
		OSVersion    string `json:"os_version"`
		FirstSeen    string `json:"first_seen"`
	}
	if err := d.call(ctx, http.MethodGet, "/api/v1/devices/"+id, nil, &device); err != nil {
		return err
	}
	var sections struct {
		Items []struct {
			Name       string `json:"name"`
			Status     string `json:"status"`
			Items      int    `json:"items"`
			DurationMS int    `json:"duration_ms"`
			Message    string `json:"message"`
		} `json:"items"`
	}
	if err := d.call(ctx, http.MethodGet, "/api/v1/devices/"+id+"/sections", nil, &sections); err != nil {
		return err
	}
	table := tabwriter.NewWriter(d.out, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintf(table, "\nMachine\t%s (%s)\n", device.Name, device.Class)
	for _, known := range [][2]string{
		{"Model", strings.TrimSpace(device.Manufacturer + " " + device.Model)},
		{"System", strings.TrimSpace(device.OSName + " " + device.OSVersion)},
	} {
		if known[1] != "" {
			_, _ = fmt.Fprintf(table, "%s\t%s\n", known[0], known[1])
		}
	}
	_, _ = fmt.Fprintf(table, "Device\t%s, first seen %s\n\n", id, device.FirstSeen)
	_, _ = fmt.Fprintf(table, "Section\tItems\tTime\tStatus\t\n")
	for _, s := range sections.Items {
		_, _ = fmt.Fprintf(table, "%s\t%d\t%d ms\t%s\t%s\n", s.Name, s.Items, s.DurationMS, s.Status, s.Message)
	}
	_ = table.Flush()
	d.showHow(running, id)
	return nil
}

func (d *demo) showHow(running *collector, id string) {
	_, _ = fmt.Fprintf(d.out, `
API          %[1]s  (documentation: %[1]s/api/docs)
Admin token  %[2]s

Try:
  curl -H "Authorization: Bearer $(cat %[2]s)" %[1]s/api/v1/devices
  curl -H "Authorization: Bearer $(cat %[2]s)" "%[1]s/api/v1/software?search=ssl"
  curl -H "Authorization: Bearer $(cat %[2]s)" "%[1]s/api/v1/devices/%[3]s/software?format=csv" -o software.csv

Change something on this machine, then sync again:
  %[4]s sync --state %[5]s
`, d.base, running.tokenFile, id, d.Agent, d.state())
}
