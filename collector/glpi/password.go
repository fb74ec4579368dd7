package glpi

import (
	"crypto/sha256"
	"crypto/subtle"
	"net/http"
)

// challenge requests the password. Agents expect exactly this form of the header and send no
// password before they have seen it, so the first request of each agent gets a 401.
func (s *endpoint) challenge(a *answer, r *http.Request) {
	if r.Header.Get("Authorization") != "" {
		s.wrong.Do(func() { s.Logger.Warn("wrong password", "remote", r.RemoteAddr) })
	}
	a.header.Set("WWW-Authenticate", `Basic realm="muster"`)
	a.reject(http.StatusUnauthorized, "a user name and a password are required")
}

// authenticated reports whether a request has a valid password (RFC 7617). The user name is
// ignored. It compares hashes, all of them and in constant time, so that the duration reveals
// nothing.
func (s *endpoint) authenticated(r *http.Request) bool {
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
