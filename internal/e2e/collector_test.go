package e2e

import (
	"maps"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// collector is a muster-collector that can be killed and restarted. Each start has new addresses.
type collector struct {
	*process

	dir    string // its data directory
	args   []string
	log    *output
	base   string // of the API
	agents string // host:port for agents
	token  string // the admin's

	glpi string // the URL for other tools' agents, if requested
}

// newCollector starts a collector. With an empty url it runs its own database.
func newCollector(t testing.TB, url string, args ...string) *collector {
	t.Helper()
	c := prepare(t, url, args...)
	c.start(t)
	return c
}

// prepare is newCollector without the start.
func prepare(t testing.TB, url string, args ...string) *collector {
	t.Helper()
	c := &collector{dir: filepath.Join(t.TempDir(), "collector"), log: &output{}}
	c.args = append([]string{
		"serve", "--data-dir", c.dir, "--http-addr", "127.0.0.1:0", "--grpc-addr", "127.0.0.1:0", "--metrics-addr", "",
	}, args...)
	if url != "" {
		c.args = append(c.args, "--database-url", url)
	}
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("the end of the collector's log:\n%s", tail(c.log.String(), 4000))
		}
	})
	return c
}

// start starts or restarts the collector and returns when it is ready.
func (c *collector) start(t testing.TB) {
	t.Helper()
	c.launch(t)()
}

// launch starts the collector; wait returns when it is ready.
func (c *collector) launch(t testing.TB) (wait func()) {
	t.Helper()
	ready := c.log.line("msg=ready")
	cmd := exec.Command(built.collector, c.args...)
	cmd.Stderr = c.log
	c.process = begin(t, cmd)
	return func() {
		t.Helper()
		select {
		case line := <-ready:
			c.learn(t, line)
		case <-c.done:
			t.Fatalf("the collector ended at once: %v\n%s", c.err, tail(c.log.String(), 2000))
		case <-time.After(waitLimit):
			t.Fatal("the collector does not get ready")
		}
	}
}

// learn reads the addresses from the log line that reports readiness, and checks /readyz.
func (c *collector) learn(t testing.TB, line string) {
	t.Helper()
	for field := range strings.FieldsSeq(line) {
		switch name, value, _ := strings.Cut(field, "="); name {
		case "api":
			c.base = value
		case "agents":
			c.agents = value
		case "glpi":
			c.glpi = value
		}
	}
	token, err := os.ReadFile(filepath.Join(c.dir, "admin.token"))
	if err != nil {
		t.Fatal(err)
	}
	c.token = strings.TrimSpace(string(token))
	if status := c.readiness(); status != http.StatusOK {
		t.Fatalf("readyz of a collector that says it is ready: got %d", status)
	}
}

// readiness returns the status of /readyz, or 0 if there is no answer.
func (c *collector) readiness() int {
	response, err := http.Get(c.base + "/readyz")
	if err != nil {
		return 0
	}
	_ = response.Body.Close()
	return response.StatusCode
}

// stop ends the collector as an operator does.
func (c *collector) stop(t testing.TB) {
	t.Helper()
	if err := c.interrupt(t); err != nil {
		t.Fatalf("the collector was told to stop: %v", err)
	}
}

// ticket is what an operator passes to an agent.
type ticket struct {
	ID      string `json:"id"`
	Token   string `json:"token"`
	CAPin   string `json:"ca_pin"`
	Command string `json:"command"`
}

// ticket makes an enrollment token. more are additional fields of the request.
func (c *collector) ticket(t testing.TB, more map[string]any) ticket {
	t.Helper()
	body := map[string]any{"name": t.Name(), "max_uses": 100}
	maps.Copy(body, more)
	var made ticket
	if status := c.call(t, http.MethodPost, "/api/v1/enrollment-tokens", body, &made); status != http.StatusCreated {
		t.Fatalf("enrollment token: got status %d", status)
	}
	return made
}

func tail(text string, size int) string {
	return text[max(0, len(text)-size):]
}
