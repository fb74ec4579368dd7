package glpi

import (
	"crypto/sha256"
	"crypto/subtle"
	"net/http"
)

// challenge asks for the password. Agents look for exactly this form of the header, and send nothing before they have
// seen it, so the first request of each is refused.
func (s *endpoint) challenge(a *answer, r *http.Request) {
	if r.Header.Get("Authorization") != "" {
		s.strange.Do(func() { s.Logger.Warn("wrong password", "remote", r.RemoteAddr) })
	}
	a.header.Set("WWW-Authenticate", `Basic realm="muster"`)
	a.refuse(http.StatusUnauthorized, "a password is needed")
}

// knows reports whether a request has a good password (RFC 7617). The name of the user is the agent's choice. Sums are
// compared, all of them and whole, so that the time that it takes tells nothing.
func (s *endpoint) knows(r *http.Request) bool {
	_, password, ok := r.BasicAuth()
	if !ok {
		return false
	}
	sum := sha256.Sum256([]byte(password))
	good := 0
	for _, known := range s.Passwords {
		good |= subtle.ConstantTimeCompare(sum[:], known[:])
	}
	return good == 1
}
