// Package glpi is where agents of GLPI, FusionInventory and OCS Inventory report by themselves, as they do to their
// own servers: over HTTP, with a password that all of them share. It asks for inventories and hands them on as they are.
// It gives those agents no other work, reads no inventory itself and stores nothing.
package glpi

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"strconv"
	"time"

	"golang.org/x/sync/semaphore"
	"golang.org/x/time/rate"

	"github.com/musterhq/muster/internal/inventory"
)

// Options is what an endpoint is made of. Import and Passwords are required.
type Options struct {
	// Import takes in a message. An inventory.Error with CodeInvalid says what is wrong with it; after any other error the
	// agent is to come back later.
	Import func(ctx context.Context, body io.Reader, o inventory.ImportOptions) (inventory.ImportReport, error)

	// Passwords are the SHA-256 sums of the passwords that agents may come with. Several let a fleet change from one to
	// the next. The passwords must be too random to be guessed.
	Passwords [][32]byte

	// Interval is how often each agent is told to report: whole hours, at least one. 0 means 24 hours, as the servers of
	// these agents do.
	Interval time.Duration

	Logger *slog.Logger // nil: none
}

// How much is done at once. An agent that finds no place waits for one, because one that is sent away may not come back
// before tomorrow.
const (
	maxRequests = 8
	patience    = 10 * time.Second
	maxInFlight = 128 << 20 // bytes of unpacked messages
	retryAfter  = time.Minute
)

// endpoint is the state of the handler.
type endpoint struct {
	Options

	places   chan struct{} // one for each request under way
	inFlight *semaphore.Weighted
	strange  rate.Sometimes // keeps those who do not know the password from filling the log
}

// New makes the handler. It answers on every path: each of these agents has another one for its server.
func New(o Options) http.Handler {
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Interval == 0 {
		o.Interval = 24 * time.Hour
	}
	return &endpoint{
		Options: o, places: make(chan struct{}, maxRequests), inFlight: semaphore.NewWeighted(maxInFlight),
		strange: rate.Sometimes{Interval: time.Minute},
	}
}

// ServeHTTP implements http.Handler.
func (s *endpoint) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	a := newAnswer(w, r)
	switch {
	case !s.knows(r):
		s.challenge(a, r)
	case r.Method != http.MethodPost:
		a.header.Set("Allow", http.MethodPost)
		a.refuse(http.StatusMethodNotAllowed, "agents report with POST")
	case !s.enter(r.Context()):
		s.postpone(a, "the collector is busy")
	default:
		defer s.leave()
		s.receive(a, r)
	}
}

// enter waits for a place, for a while.
func (s *endpoint) enter(ctx context.Context) bool {
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case s.places <- struct{}{}:
		return true
	case <-timer.C:
	case <-ctx.Done():
	}
	return false
}

func (s *endpoint) leave() { <-s.places }

// receive reads a message and does what it asks for.
func (s *endpoint) receive(a *answer, r *http.Request) {
	b := body{inFlight: s.inFlight}
	defer b.release()
	err := b.read(a.responseWriter, r)
	a.packing = b.packing
	switch {
	case errors.Is(err, errTooLarge):
		a.refuse(http.StatusRequestEntityTooLarge, err.Error())
	case errors.Is(err, errBusy):
		s.postpone(a, err.Error())
	case err != nil:
		a.refuse(http.StatusBadRequest, err.Error())
	default:
		m := look(b.text.Bytes())
		a.json = a.json || m.json
		if m.contact {
			a.invite(s.hours(), m.tasks)
			return
		}
		s.take(a, r, m.format(r.UserAgent()), &b.text)
	}
}

// take hands an inventory on.
func (s *endpoint) take(a *answer, r *http.Request, format string, text io.Reader) {
	report, err := s.Import(r.Context(), text, inventory.ImportOptions{Format: format})
	if known, ok := errors.AsType[*inventory.Error](err); ok && known.Code == inventory.CodeInvalid {
		s.Logger.Warn("inventory refused", "remote", r.RemoteAddr, "format", format, "reason", known.Message)
		a.refuse(http.StatusBadRequest, known.Message)
		return
	}
	if err != nil {
		s.Logger.Error("cannot take inventory", "remote", r.RemoteAddr, "format", format, "error", err)
		s.postpone(a, "the collector cannot take inventories at the moment")
		return
	}
	for _, row := range report.Documents {
		if row.Problem != "" {
			s.Logger.Warn("inventory refused", "remote", r.RemoteAddr, "format", format, "agent", row.NativeKey, "reason", row.Problem)
		}
	}
	if report.Rejected > 0 && report.Rejected == len(report.Documents) {
		a.refuse(http.StatusBadRequest, report.Documents[0].Problem)
		return
	}
	a.thank(s.hours())
}

// postpone tells an agent to come back.
func (s *endpoint) postpone(a *answer, why string) {
	a.header.Set("Retry-After", strconv.Itoa(int(retryAfter.Seconds())))
	a.refuse(http.StatusServiceUnavailable, why)
}

// hours is the interval as agents are told of it.
func (s *endpoint) hours() int { return max(1, int(s.Interval/time.Hour)) }
