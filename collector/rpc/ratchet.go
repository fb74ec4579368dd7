package rpc

import (
	"bytes"
	"crypto/rand"

	"github.com/musterhq/muster/internal/inventory"
)

// tokenSize is the size of a ratchet token in bytes.
const tokenSize = 16

func newToken() []byte {
	token := make([]byte, tokenSize)
	_, _ = rand.Read(token) // never fails, see crypto/rand
	return token
}

// keepable returns a presented token if it has the right size, else nil. The agent presents it
// again if the next Ack is lost, however many were lost before.
func keepable(presented []byte) []byte {
	if len(presented) != tokenSize {
		return nil
	}
	return presented
}

// tokenState is the state of a presented ratchet token.
type tokenState int

const (
	current tokenState = iota // the latest token, or none was issued yet
	lostAck                   // the token before: the agent did not get the last Ack
	stale                     // an older token, or none: a restored copy of the agent's state
)

// stateOf compares the presented token with the two latest ones of the record.
func stateOf(record inventory.Record, presented []byte) tokenState {
	switch {
	case len(record.Token) == 0, bytes.Equal(presented, record.Token):
		return current
	case len(record.PreviousToken) > 0 && bytes.Equal(presented, record.PreviousToken):
		return lostAck
	case len(record.PreviousToken) == 0 && len(presented) == 0:
		return lostAck // the Ack of the first commit
	default:
		return stale
	}
}

// otherHardware is the number of identifier families that differ between two machines. One family
// changes if a disk or a board is replaced.
const otherHardware = 2

// differs reports whether the hashes belong to different hardware.
func differs(held, presented map[string]uint64) bool {
	n := 0
	for family, hash := range presented {
		if was, ok := held[family]; ok && was != hash {
			n++
		}
	}
	return n >= otherHardware
}
