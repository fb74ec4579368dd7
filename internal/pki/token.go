package pki

import (
	"crypto/rand"
	"crypto/sha256"
	"strings"
)

// The prefixes of tokens, which people and secret scanners recognize.
const (
	EnrollPrefix = "muster_enroll_"
	APIPrefix    = "muster_api_"
)

// NewToken returns a secret of at least 128 bits: the prefix and 26 lower-case base32 characters
// (RFC 4648 §6).
func NewToken(prefix string) string { return prefix + strings.ToLower(rand.Text()) }

// HashToken returns the hash under which a token is stored. The token is random, so a plain hash
// hides it.
func HashToken(token string) [32]byte { return sha256.Sum256([]byte(token)) }
