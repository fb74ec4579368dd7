package glpi

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"compress/zlib"
	"errors"
	"fmt"
	"io"
	"net/http"

	"golang.org/x/sync/semaphore"
)

// The largest message that is read, as it is sent and unpacked. FusionInventory 2.6 sends 263 KiB of a server with 771
// packages, and 20 KiB packed.
const (
	maxSent     = 16 << 20
	maxUnpacked = 64 << 20
)

var (
	errTooLarge = errors.New("the message is too large")
	errBusy     = fmt.Errorf("the collector is busy: %d MiB of inventories are under way", maxInFlight>>20)
)

// packing is how a message is compressed; its value is the media type that these agents use for that.
type packing string

const (
	packedNot  packing = ""
	packedZlib packing = "application/x-compress-zlib" // RFC 1950
	packedGzip packing = "application/x-compress-gzip" // RFC 1952
)

// packingOf looks at the first two bytes. What agents say in Content-Type differs: OCS calls zlib application/x-compress.
func packingOf(magic []byte) packing {
	switch {
	case len(magic) < 2:
		return packedNot
	case magic[0] == 0x1f && magic[1] == 0x8b: // RFC 1952 §2.3.1
		return packedGzip
	case magic[0]&0x0f == 8 && (int(magic[0])<<8|int(magic[1]))%31 == 0: // RFC 1950 §2.2
		return packedZlib
	default:
		return packedNot
	}
}

// body is a message as it was sent, unpacked.
type body struct {
	text    bytes.Buffer
	packing packing

	inFlight *semaphore.Weighted
	held     int64 // of inFlight
}

// read reads and unpacks a request's body. The error is errTooLarge, errBusy or what is wrong with the body.
func (b *body) read(w http.ResponseWriter, r *http.Request) error {
	sent := bufio.NewReader(http.MaxBytesReader(w, r.Body, maxSent))
	magic, _ := sent.Peek(2) // a shorter one is found out by who reads it
	b.packing = packingOf(magic)
	unpacked, err := unpack(sent, b.packing)
	if err == nil {
		_, err = io.Copy(b, unpacked)
	}
	if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return errTooLarge
	}
	if err != nil && !errors.Is(err, errTooLarge) && !errors.Is(err, errBusy) {
		return fmt.Errorf("read message: %w", err)
	}
	return err
}

func unpack(r io.Reader, p packing) (io.Reader, error) {
	switch p {
	case packedZlib:
		return zlib.NewReader(r)
	case packedGzip:
		return gzip.NewReader(r)
	default:
		return r, nil
	}
}

// Write implements io.Writer. It takes no more than there is room for.
func (b *body) Write(p []byte) (int, error) {
	if b.text.Len()+len(p) > maxUnpacked {
		return 0, errTooLarge
	}
	if !b.inFlight.TryAcquire(int64(len(p))) {
		return 0, errBusy
	}
	b.held += int64(len(p))
	return b.text.Write(p)
}

// release gives the room back.
func (b *body) release() { b.inFlight.Release(b.held) }
