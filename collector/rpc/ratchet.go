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

// keepable gives a presented token as it may be kept: nil where it is none of ours. It is what the agent comes with
// again should the next Ack be lost, however many were lost before.
func keepable(presented []byte) []byte {
	if len(presented) != tokenSize {
		return nil
	}
	return presented
}

// standing says what a presented ratchet token tells about its presenter.
type standing int

const (
	current standing = iota // the last token given, or nothing was given yet
	lostAck                 // the one that the last change came with: its Ack may not have arrived
	stale                   // an older one, or none: a restored copy of the agent's state
)

// stand compares the presented token with those the record remembers.
func stand(record inventory.Record, presented []byte) standing {
	switch {
	case len(record.Token) == 0, bytes.Equal(presented, record.Token):
		return current
	case len(record.PreviousToken) > 0 && bytes.Equal(presented, record.PreviousToken):
		return lostAck
	case len(record.PreviousToken) == 0 && len(presented) == 0:
		return lostAck // of the very first commit
	default:
		return stale
	}
}

// otherHardware is how many families of identifiers must differ for a machine to be another one. One family
// changes when a disk or a board is replaced.
const otherHardware = 2

// differs reports whether two machines that speak with one key are different hardware.
func differs(held, presented map[string]uint64) bool {
	n := 0
	for family, hash := range presented {
		if was, ok := held[family]; ok && was != hash {
			n++
		}
	}
	return n >= otherHardware
}
