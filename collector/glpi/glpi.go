// Package glpi is the GLPI-protocol endpoint: agents of GLPI, FusionInventory and OCS Inventory
// report to it over HTTP as they do to their own servers, with a password that all of them share.
// It requests inventories and passes each message on unchanged.
//
// It never sends those agents another task, never parses an inventory and never stores anything.
//
// Start with ServeHTTP.
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

// Options are the settings of New. Import and Passwords are required.
type Options struct {
	// Import imports a message. An inventory.Error with CodeInvalid rejects the message; after any
	// other error the agent must try again later.
	Import func(ctx context.Context, body io.Reader, o inventory.ImportOptions) (inventory.ImportReport, error)

	// Passwords are the SHA-256 hashes of the accepted passwords. Several allow a fleet to change
	// from one to the next. A password must be random enough that nobody can guess it.
	Passwords [][32]byte

	// Interval is the time between two reports of an agent: whole hours, at least one. 0 means 24
	// hours, the default of these agents' own servers.
	Interval time.Duration

	Logger *slog.Logger // nil: none
}

// Limits on concurrent work. An agent waits for a free slot, because after a rejection it may not
// report again until the next day.
const (
	maxRequests = 8
	slotTimeout = 10 * time.Second
	maxInFlight = 128 << 20 // bytes of unpacked messages
	retryAfter  = time.Minute
)

// endpoint implements the handler.
type endpoint struct {
	Options

	slots    chan struct{} // one element per request in progress
	inFlight *semaphore.Weighted
	wrong    rate.Sometimes // limits the log lines about wrong passwords
}

// New returns the handler. It serves every path, because each of these agents has a different one
// for its server.
func New(o Options) http.Handler {
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Interval == 0 {
		o.Interval = 24 * time.Hour
	}
	return &endpoint{
		Options: o, slots: make(chan struct{}, maxRequests), inFlight: semaphore.NewWeighted(maxInFlight),
		wrong: rate.Sometimes{Interval: time.Minute},
	}
}

// ServeHTTP implements http.Handler.
func (s *endpoint) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	a := newAnswer(w, r)
	switch {
	case !s.authenticated(r):
		s.challenge(a, r)
	case r.Method != http.MethodPost:
		a.header.Set("Allow", http.MethodPost)
		a.reject(http.StatusMethodNotAllowed, "use POST to report an inventory")
	case !s.acquire(r.Context()):
		s.postpone(a, "the collector is busy; try again later")
	default:
		defer s.release()
		s.receive(a, r)
	}
}

// acquire waits for a slot, at most slotTimeout.
func (s *endpoint) acquire(ctx context.Context) bool {
	timer := time.NewTimer(slotTimeout)
	defer timer.Stop()
	select {
	case s.slots <- struct{}{}:
		return true
	case <-timer.C:
	case <-ctx.Done():
	}
	return false
}

func (s *endpoint) release() { <-s.slots }

// receive reads a message and answers it.
func (s *endpoint) receive(a *answer, r *http.Request) {
	b := body{inFlight: s.inFlight}
	defer b.release()
	err := b.read(a.responseWriter, r)
	a.packing = b.packing
	switch {
	case errors.Is(err, errTooLarge):
		a.reject(http.StatusRequestEntityTooLarge, err.Error())
	case errors.Is(err, errBusy):
		s.postpone(a, err.Error())
	case err != nil:
		a.reject(http.StatusBadRequest, err.Error())
	default:
		m := inspect(b.text.Bytes())
		a.json = a.json || m.json
		if m.contact {
			a.requestInventory(s.hours(), m.tasks)
			return
		}
		s.importInventory(a, r, m.format(r.UserAgent()), &b.text)
	}
}

// importInventory passes an inventory on.
func (s *endpoint) importInventory(a *answer, r *http.Request, format string, text io.Reader) {
	report, err := s.Import(r.Context(), text, inventory.ImportOptions{Format: format, Live: true})
	if known, ok := errors.AsType[*inventory.Error](err); ok && known.Code == inventory.CodeInvalid {
		s.Logger.Warn("inventory rejected", "remote", r.RemoteAddr, "format", format, "reason", known.Message)
		a.reject(http.StatusBadRequest, known.Message)
		return
	}
	if err != nil {
		s.Logger.Error("cannot import inventory", "remote", r.RemoteAddr, "format", format, "error", err)
		s.postpone(a, "the collector cannot import inventories at the moment; try again later")
		return
	}
	for _, row := range report.Documents {
		if row.Problem != "" {
			s.Logger.Warn("inventory rejected",
				"remote", r.RemoteAddr, "format", format, "agent", row.NativeKey, "reason", row.Problem)
		}
	}
	if report.Rejected > 0 && report.Rejected == len(report.Documents) {
		a.reject(http.StatusBadRequest, report.Documents[0].Problem)
		return
	}
	a.accept(s.hours())
}

// postpone asks an agent to report again later.
func (s *endpoint) postpone(a *answer, why string) {
	a.header.Set("Retry-After", strconv.Itoa(int(retryAfter.Seconds())))
	a.reject(http.StatusServiceUnavailable, why)
}

// hours returns the interval in the unit of the protocols.
func (s *endpoint) hours() int { return max(1, int(s.Interval/time.Hour)) }
