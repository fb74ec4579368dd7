package glpi

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"net/http"
	"net/netip"
	"strconv"
	"sync"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"
	"golang.org/x/time/rate"
)

// Credential is a password that agents may use.
type Credential struct {
	Name     string   // for the log; may be empty
	Password [32]byte // SHA-256
}

// challenge requests the password. Agents expect exactly this form of the header and send no
// password before they have seen it, so the first request of each agent gets a 401.
func (s *endpoint) challenge(a *answer, r *http.Request) {
	if r.Header.Get("Authorization") != "" {
		s.wrong.Do(func() { s.Logger.Warn("wrong password", "remote", r.RemoteAddr) })
		if !s.guesses.wait(r.Context(), r.RemoteAddr) {
			a.header.Set("Retry-After", strconv.Itoa(int(maxGuessWait.Seconds())))
			a.reject(http.StatusTooManyRequests, "too many wrong passwords from this address; try again later")
			return
		}
	}
	a.header.Set("WWW-Authenticate", `Basic realm="muster"`)
	a.reject(http.StatusUnauthorized, "a user name and a password are required")
}

// authenticated returns the credential of a request (RFC 7617). The user name is ignored. It
// compares hashes, all of them and in constant time, so that the duration reveals nothing.
func (s *endpoint) authenticated(r *http.Request) (found Credential, ok bool) {
	_, password, given := r.BasicAuth()
	if !given {
		return Credential{}, false
	}
	sum := sha256.Sum256([]byte(password))
	for _, known := range s.Credentials() {
		if subtle.ConstantTimeCompare(sum[:], known.Password[:]) == 1 {
			found, ok = known, true
		}
	}
	return found, ok
}

// guesses slows down the answers to wrong passwords of an address. Right ones are never slowed
// down: many agents share an address.
type guesses struct {
	mu sync.Mutex
	by *lru.Cache[string, *rate.Limiter]
}

// The wrong passwords of one address that are answered at once, the time between later ones, and
// the longest wait for an answer.
const (
	guessBurst      = 10
	guessEvery      = time.Second
	maxGuessWait    = 10 * time.Second
	guessingSources = 4096 // addresses that are remembered
)

func newGuesses() *guesses {
	by, err := lru.New[string, *rate.Limiter](guessingSources)
	if err != nil {
		panic(err) // only a size below one is an error
	}
	return &guesses{by: by}
}

// wait waits until a wrong password may be answered. It returns false at once if that takes longer
// than maxGuessWait.
func (g *guesses) wait(ctx context.Context, remote string) bool {
	reserved := g.of(remote).Reserve()
	delay := reserved.Delay()
	if delay > maxGuessWait {
		reserved.Cancel()
		return false
	}
	timer := time.NewTimer(delay)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
	return true
}

func (g *guesses) of(remote string) *rate.Limiter {
	if address, err := netip.ParseAddrPort(remote); err == nil {
		remote = address.Addr().Unmap().String()
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	limiter, known := g.by.Get(remote)
	if !known {
		limiter = rate.NewLimiter(rate.Every(guessEvery), guessBurst)
		g.by.Add(remote, limiter)
	}
	return limiter
}
