package glpi_test

import (
	"bytes"
	"context"
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
	options.Credentials = credentials(password, next)
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

// TestWrongPasswordsAreSlow: an address that guesses gets ten answers at once, then one a second,
// and no more than ten wait. A right password from this address, and any from others, is not slowed
// down.
func TestWrongPasswordsAreSlow(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := glpi.New((&imports{}).options())
		began := time.Now()
		try := func(remote, with string) (status int, took time.Duration) {
			r := request([]byte(prolog))
			r.RemoteAddr = remote
			r.SetBasicAuth("muster", with)
			status, _, _ = ask(t, h, r)
			return status, time.Since(began)
		}
		answers := make(chan int, 100)
		for range 100 {
			go func() {
				status, _ := try("192.0.2.1:1234", "wrong")
				answers <- status
			}()
		}
		synctest.Wait()
		for remote, with := range map[string]string{
			"192.0.2.1:1235": password, "192.0.2.2:1": password, "192.0.2.3:1": "wrong", "[::ffff:192.0.2.1]:1": password,
		} {
			if _, took := try(remote, with); took != 0 {
				t.Errorf("%s with %s: answered after %v, want at once", remote, with, took)
			}
		}
		got := map[int]int{}
		for range 100 {
			got[<-answers]++
		}
		if got[http.StatusUnauthorized] != 20 || got[http.StatusTooManyRequests] != 80 || time.Since(began) != 10*time.Second {
			t.Errorf("100 wrong passwords: got %v in %v, want 20 times 401 and 80 times 429 in 10 s", got, time.Since(began))
		}
		if status, _ := try("192.0.2.1:1", "wrong"); status != http.StatusUnauthorized {
			t.Errorf("afterwards: got %d, want 401", status)
		}
	})
}

// TestRevokedPassword: a password is rejected from the moment when it is no longer listed.
func TestRevokedPassword(t *testing.T) {
	t.Parallel()
	options := (&imports{}).options()
	both, one := credentials(password, "another-password-01")(), credentials("another-password-01")()
	now := both
	options.Credentials = func() []glpi.Credential { return now }
	h := glpi.New(options)
	if status, _, _ := ask(t, h, request([]byte(prolog))); status != http.StatusOK {
		t.Errorf("got %d, want 200", status)
	}
	now = one
	if status, _, _ := ask(t, h, request([]byte(prolog))); status != http.StatusUnauthorized {
		t.Errorf("after it was revoked: got %d, want 401", status)
	}
}

// slow is a body that ends when the test lets it.
type slow struct{ let chan struct{} }

func (s slow) Read([]byte) (int, error) {
	<-s.let
	return 0, io.ErrUnexpectedEOF
}
func (slow) Close() error { return nil }

// TestSlowBodies: any number of requests whose bodies do not arrive occupy no turn.
func TestSlowBodies(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := glpi.New((&imports{}).options())
		let, answers := make(chan struct{}), make(chan int, 50)
		for range cap(answers) {
			go func() {
				r := request(nil)
				r.Body = slow{let}
				status, _, _ := ask(t, h, r)
				answers <- status
			}()
		}
		synctest.Wait()
		began := time.Now()
		if status, _, _ := ask(t, h, request([]byte(prolog))); status != http.StatusOK || time.Since(began) != 0 {
			t.Errorf("beside slow bodies: got %d after %v, want 200 at once", status, time.Since(began))
		}
		close(let)
		for range cap(answers) {
			if status := <-answers; status != http.StatusBadRequest {
				t.Errorf("a body that was cut: got %d, want 400", status)
			}
		}
	})
}

// TestLargeMessagesTakeTurns: a message of many megabytes is processed alone.
func TestLargeMessagesTakeTurns(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		let, entered := make(chan struct{}), 0
		options := (&imports{}).options()
		options.Import = func(context.Context, io.Reader, inventory.ImportOptions) (inventory.ImportReport, error) {
			entered++
			<-let
			return inventory.ImportReport{}, nil
		}
		h := glpi.New(options)
		large := packings["application/x-compress-gzip"](bytes.Repeat([]byte(" "), 60<<20))
		done := make(chan int, 2)
		for _, body := range [][]byte{large, []byte("<REQUEST/>")} {
			go func() {
				status, _, _ := ask(t, h, request(body))
				done <- status
			}()
			synctest.Wait()
		}
		if entered != 1 {
			t.Errorf("%d messages are processed, want the large one alone", entered)
		}
		close(let)
		for range 2 {
			if status := <-done; status != http.StatusOK {
				t.Errorf("got %d, want 200", status)
			}
		}
	})
}

// TestTurns: eight requests are served at once; the ninth waits at most ten seconds for its turn.
func TestTurns(t *testing.T) {
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
				t.Errorf("got %d, want 200 once a turn is free", status)
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
