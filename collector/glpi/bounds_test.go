package glpi_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/musterhq/muster/collector/glpi"
	"github.com/musterhq/muster/internal/inventory"
)

// unread is a body that must not be read.
type unread struct{ t *testing.T }

func (u unread) Read([]byte) (int, error) {
	u.t.Error("the body of an unauthenticated request was read")
	return 0, errors.New("unread")
}

func (unread) Close() error { return nil }

// TestPassword: a request without a valid password gets a 401 before its body is read.
func TestPassword(t *testing.T) {
	t.Parallel()
	next := "muster_glpi_next0123456"
	options := (&imports{}).options()
	options.Passwords = append(options.Passwords, sha256.Sum256([]byte(next)))
	var log bytes.Buffer
	options.Logger = slog.New(slog.NewTextHandler(&log, nil))
	h := glpi.New(options)
	for name, c := range map[string]struct {
		header string // Authorization
		user   string
		with   string
		good   bool
	}{
		"none":          {},
		"a wrong one":   {user: "muster", with: password + "x"},
		"half of it":    {user: "muster", with: password[:10]},
		"empty":         {user: "muster"},
		"as a token":    {header: "Bearer " + password},
		"as the user":   {user: password},
		"not base64":    {header: "Basic %%%"},
		"the right one": {user: "muster", with: password, good: true},
		"another user":  {user: "glpi", with: password, good: true},
		"no user":       {with: password, good: true},
		"the next one":  {user: "muster", with: next, good: true},
	} {
		r := request([]byte(prolog))
		r.Header.Del("Authorization")
		if c.header != "" {
			r.Header.Set("Authorization", c.header)
		} else if c.user+c.with != "" {
			r.SetBasicAuth(c.user, c.with)
		}
		if !c.good {
			r.Body = unread{t}
		}
		status, _, header := ask(t, h, r)
		if c.good != (status == http.StatusOK) || c.good == (status == http.StatusUnauthorized) {
			t.Errorf("%s: got status %d", name, status)
		}
		// Agents match the realm greedily: anything after it would become part of it.
		if challenge := header.Get("WWW-Authenticate"); !c.good && challenge != `Basic realm="muster"` {
			t.Errorf("%s: got the challenge %q", name, challenge)
		}
	}
	if lines := strings.Count(log.String(), "wrong password"); lines != 1 || strings.Contains(log.String(), password) {
		t.Errorf("got %d lines in the log, want one a minute and no passwords:\n%s", lines, log.String())
	}
}

// TestSlots: eight requests are served at once; the ninth waits at most ten seconds for a slot.
func TestSlots(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		let, served := make(chan struct{}), make(chan int, 10)
		options := (&imports{}).options()
		options.Import = func(context.Context, io.Reader, inventory.ImportOptions) (inventory.ImportReport, error) {
			<-let
			return inventory.ImportReport{}, nil
		}
		h := glpi.New(options)
		come := func() {
			go func() {
				status, _, _ := ask(t, h, request([]byte("<REQUEST/>")))
				served <- status
			}()
			synctest.Wait()
		}
		for range 9 {
			come()
		}
		began := time.Now()
		if status := <-served; status != http.StatusServiceUnavailable || time.Since(began) != 10*time.Second {
			t.Errorf("the ninth got %d after %v, want 503 after 10 s", status, time.Since(began))
		}
		come()
		close(let)
		for range 9 {
			if status := <-served; status != http.StatusOK {
				t.Errorf("got %d, want 200 once a slot is free", status)
			}
		}
	})
}

// TestMaxInFlight: all messages in progress share a limit, and a finished request releases its
// share.
func TestMaxInFlight(t *testing.T) {
	t.Parallel()
	let, entered := make(chan struct{}), make(chan struct{}, 3)
	options := (&imports{}).options()
	options.Import = func(context.Context, io.Reader, inventory.ImportOptions) (inventory.ImportReport, error) {
		entered <- struct{}{}
		<-let
		return inventory.ImportReport{}, nil
	}
	h := glpi.New(options)
	glpi.SetMaxInFlight(h, 128<<10)
	large := packings["application/x-compress-gzip"](bytes.Repeat([]byte(" "), 60<<10))
	done := make(chan int, 2)
	for range 2 {
		go func() {
			status, _, _ := ask(t, h, request(large))
			done <- status
		}()
		<-entered
	}
	status, text, header := ask(t, h, request(large))
	if status != http.StatusServiceUnavailable || !strings.Contains(text, "128 MiB") || header.Get("Retry-After") == "" {
		t.Errorf("the third got %d %q, want 503", status, text)
	}
	close(let)
	for range 2 {
		<-done
	}
	if status, text, _ := ask(t, h, request(large)); status != http.StatusOK {
		t.Errorf("after all messages are finished: got %d %q", status, text)
	}
}

func TestInterval(t *testing.T) {
	t.Parallel()
	for interval, want := range map[time.Duration]string{
		0: "<PROLOG_FREQ>24<", 4 * time.Hour: "<PROLOG_FREQ>4<", time.Minute: "<PROLOG_FREQ>1<", 90 * time.Minute: "<PROLOG_FREQ>1<",
	} {
		options := (&imports{}).options()
		options.Interval = interval
		if _, text, _ := ask(t, glpi.New(options), request([]byte(prolog))); !strings.Contains(text, want) {
			t.Errorf("%v: got %s, want %s", interval, text, want)
		}
	}
}
