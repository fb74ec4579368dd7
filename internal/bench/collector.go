package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// checkInInterval is the check-in interval of agents, ± an eighth. The fleet ignores it; the real
// agent waits that long for its next check-in.
const checkInInterval = 8 * time.Second

// pollInterval is the interval of polling for conditions without a notification.
const pollInterval = 20 * time.Millisecond

// collector is the collector under test, in its own process.
type collector struct {
	cmd   *exec.Cmd
	log   string        // the file that it logs to
	ended chan struct{} // closed when it has ended

	httpAddr, grpcAddr, metricsAddr string
	adminToken                      string
	token                           string // for enrollment
	pin                             string // of the CA's certificate
}

// startCollector starts a collector on a database and waits until it is ready. The caller stops it.
func startCollector(ctx context.Context, program, dir, databaseURL string) (*collector, error) {
	c := &collector{log: filepath.Join(dir, "collector.log"), ended: make(chan struct{})}
	for _, address := range []*string{&c.httpAddr, &c.grpcAddr, &c.metricsAddr} {
		var err error
		if *address, err = freeAddress(ctx); err != nil {
			return nil, err
		}
	}
	log, err := os.Create(c.log)
	if err != nil {
		return nil, fmt.Errorf("make log: %w", err)
	}
	defer func() { _ = log.Close() }() // the child has its own
	data := filepath.Join(dir, "collector")
	// A terminal interrupts all processes at once. The collector must outlive the streams of the
	// fleet, so only stop ends it.
	c.cmd = command(context.WithoutCancel(ctx), program, "serve", "--data-dir", data, "--database-url", databaseURL,
		"--http-addr", c.httpAddr, "--grpc-addr", c.grpcAddr, "--metrics-addr", c.metricsAddr,
		"--check-in-interval", checkInInterval.String())
	c.cmd.Stderr = log
	if err := c.cmd.Start(); err != nil {
		return nil, fmt.Errorf("start collector: %w", err)
	}
	go func() {
		_ = c.cmd.Wait()
		close(c.ended)
	}()
	if err := errors.Join(c.awaitReady(ctx), c.prepareEnrollment(ctx, data)); err != nil {
		return nil, errors.Join(err, c.stop())
	}
	return c, nil
}

func freeAddress(ctx context.Context) (string, error) {
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", fmt.Errorf("find a free port: %w", err)
	}
	return listener.Addr().String(), listener.Close()
}

func (c *collector) pid() int { return c.cmd.Process.Pid }

func (c *collector) awaitReady(ctx context.Context) error {
	return c.until(ctx, func() (bool, error) {
		_, err := get(ctx, "http://"+c.httpAddr+"/readyz")
		return err == nil, nil
	})
}

// until waits for a condition, the end of the collector or the end of ctx.
func (c *collector) until(ctx context.Context, condition func() (bool, error)) error {
	ticker := time.NewTicker(pollInterval)
	defer ticker.Stop()
	for {
		if ok, err := condition(); ok || err != nil {
			return err
		}
		select {
		case <-ticker.C:
		case <-c.ended:
			return fmt.Errorf("the collector ended; end of its log: %s", c.logTail())
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// logTail returns the end of the collector's log.
func (c *collector) logTail() string {
	const most = 2000
	text, _ := os.ReadFile(c.log)
	return string(bytes.TrimSpace(text[max(0, len(text)-most):]))
}

// stop interrupts the collector, as an operator would.
func (c *collector) stop() error {
	_ = c.cmd.Process.Signal(os.Interrupt) // it may have ended already
	select {
	case <-c.ended:
		return nil
	case <-time.After(stopGrace):
		_ = c.cmd.Process.Kill()
		<-c.ended
		return errors.New("the collector did not stop after an interrupt")
	}
}

func (c *collector) prepareEnrollment(ctx context.Context, data string) error {
	text, err := os.ReadFile(filepath.Join(data, "admin.token")) //nolint:gosec // of the started collector
	if err != nil {
		return fmt.Errorf("read admin token: %w", err)
	}
	c.adminToken = strings.TrimSpace(string(text))
	return c.makeToken(ctx)
}

func (c *collector) makeToken(ctx context.Context) error {
	body := `{"name": "bench", "max_uses": 1000000, "expires_in": "24h"}`
	text, err := c.api(ctx, http.MethodPost, "enrollment-tokens", body)
	if err != nil {
		return err
	}
	var made struct {
		Token string `json:"token"`
		CAPin string `json:"ca_pin"`
	}
	if err := json.Unmarshal(text, &made); err != nil {
		return fmt.Errorf("read enrollment token: %w", err)
	}
	c.token, c.pin = made.Token, made.CAPin
	return nil
}

// devices returns the number of computers in the CMDB.
func (c *collector) devices(ctx context.Context) (int, error) {
	text, err := c.api(ctx, http.MethodGet, "devices?format=ndjson", "")
	return bytes.Count(text, []byte("\n")), err
}

// api sends a request to the REST API as its administrator and returns the body of the response.
func (c *collector) api(ctx context.Context, method, path, body string) ([]byte, error) {
	url := "http://" + c.httpAddr + "/api/v1/" + path
	request, err := http.NewRequestWithContext(ctx, method, url, strings.NewReader(body))
	if err != nil {
		return nil, fmt.Errorf("make request: %w", err)
	}
	request.Header.Set("Authorization", "Bearer "+c.adminToken)
	request.Header.Set("Content-Type", "application/json")
	return call(request)
}

// statements returns the number of statements that the collector has sent to its database.
func (c *collector) statements(ctx context.Context) (float64, error) {
	const name = "muster_store_statements_total "
	text, err := get(ctx, "http://"+c.metricsAddr+"/metrics")
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(text)) {
		if value, ok := strings.CutPrefix(line, name); ok {
			return strconv.ParseFloat(strings.TrimSpace(value), 64)
		}
	}
	return 0, fmt.Errorf("the collector has no metric %s", name)
}

func get(ctx context.Context, url string) ([]byte, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, fmt.Errorf("make request: %w", err)
	}
	return call(request)
}

func call(request *http.Request) ([]byte, error) {
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, fmt.Errorf("call collector: %w", err)
	}
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		return nil, fmt.Errorf("read response: %w", err)
	}
	if response.StatusCode >= http.StatusBadRequest {
		return nil, fmt.Errorf("%s %s: %s: %s", request.Method, request.URL, response.Status, text)
	}
	return text, nil
}
