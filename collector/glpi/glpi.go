// Package glpi is the GLPI-protocol endpoint: agents of GLPI, FusionInventory and OCS Inventory
// report to it over HTTP as they do to their own servers, with a password that many of them share.
// It requests inventories and passes each message on unchanged.
//
// It never sends those agents another task, never parses an inventory and never stores anything.
//
// Start with ServeHTTP.
package glpi

import (
	"bytes"
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

// Options are the settings of New. Import and Credentials are required.
type Options struct {
	// Import imports a message. An inventory.Error with CodeInvalid rejects the message; after any
	// other error the agent must try again later.
	Import func(ctx context.Context, body io.Reader, o inventory.ImportOptions) (inventory.ImportReport, error)

	// Credentials returns the accepted passwords, which may change at any time. Several allow a
	// fleet to change from one to the next, and to revoke the password of some agents alone. A
	// password must be random enough that nobody can guess it.
	Credentials func() []Credential

	// Interval is the time between two reports of an agent: whole hours, at least one. 0 means 24
	// hours, the default of these agents' own servers.
	Interval time.Duration

	Logger *slog.Logger // nil: none
}

// Limits on concurrent work. An agent waits for its turn, because after a rejection it may not
// report again until the next day. A message takes a turn once it has arrived, so that slow agents
// occupy none. Large messages take several turns, because parsing needs many times their size.
const (
	maxTurns    = 8
	bytesOfTurn = 8 << 20
	turnTimeout = 10 * time.Second
	maxInFlight = 128 << 20 // bytes of unpacked messages
	retryAfter  = time.Minute
)

// endpoint implements the handler.
type endpoint struct {
	Options

	turns    *semaphore.Weighted
	inFlight *semaphore.Weighted
	guesses  *guesses
	wrong    rate.Sometimes // limits the log lines about wrong passwords
	rejected rate.Sometimes // and about rejected inventories
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
		Options: o, turns: semaphore.NewWeighted(maxTurns), inFlight: semaphore.NewWeighted(maxInFlight),
		guesses:  newGuesses(),
		wrong:    rate.Sometimes{Interval: time.Minute},
		rejected: rate.Sometimes{First: rejectedFirst, Interval: rejectedEvery},
	}
}

// Log lines about rejected inventories: the first ones, then one in each interval.
const (
	rejectedFirst = 20
	rejectedEvery = 10 * time.Second
)

// ServeHTTP implements http.Handler.
func (s *endpoint) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	a := newAnswer(w, r)
	credential, ok := s.authenticated(r)
	switch {
	case !ok:
		s.challenge(a, r)
	case r.Method != http.MethodPost:
		a.header.Set("Allow", http.MethodPost)
		a.reject(http.StatusMethodNotAllowed, "use POST to report an inventory")
	default:
		s.receive(a, r, credential)
	}
}

// acquire waits for the turns of a message, at most turnTimeout.
func (s *endpoint) acquire(ctx context.Context, size int) (release func(), ok bool) {
	turns := int64(min(1+size/bytesOfTurn, maxTurns))
	ctx, cancel := context.WithTimeout(ctx, turnTimeout)
	defer cancel()
	if s.turns.Acquire(ctx, turns) != nil {
		return nil, false
	}
	return func() { s.turns.Release(turns) }, true
}

// receive reads a message and answers it.
func (s *endpoint) receive(a *answer, r *http.Request, credential Credential) {
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
		s.process(a, r, credential, &b.text)
	}
}

// process answers a message that has arrived.
func (s *endpoint) process(a *answer, r *http.Request, credential Credential, text *bytes.Buffer) {
	release, ok := s.acquire(r.Context(), text.Len())
	if !ok {
		s.postpone(a, "the collector is busy; try again later")
		return
	}
	defer release()
	m := inspect(text.Bytes())
	a.json = a.json || m.json
	if m.contact {
		a.requestInventory(s.hours(), m.tasks)
		return
	}
	format := m.format(r.UserAgent())
	logger := s.Logger.With("remote", r.RemoteAddr, "credential", credential.Name, "format", format)
	s.importInventory(r.Context(), a, logger, format, text)
}

// importInventory passes an inventory on.
func (s *endpoint) importInventory(
	ctx context.Context, a *answer, logger *slog.Logger, format string, text io.Reader,
) {
	report, err := s.Import(ctx, text, inventory.ImportOptions{Format: format, Live: true})
	if known, ok := errors.AsType[*inventory.Error](err); ok && known.Code == inventory.CodeInvalid {
		s.rejected.Do(func() { logger.Warn("inventory rejected", "reason", known.Message) })
		a.reject(http.StatusBadRequest, known.Message)
		return
	}
	if err != nil {
		s.rejected.Do(func() { logger.Error("cannot import inventory", "error", err) })
		s.postpone(a, "the collector cannot import inventories at the moment; try again later")
		return
	}
	for _, row := range report.Documents {
		if row.Problem != "" {
			s.rejected.Do(func() {
				logger.Warn("inventory rejected", "agent", row.NativeKey, "reason", row.Problem)
			})
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
