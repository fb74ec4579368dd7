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

// The largest message in bytes, as sent and unpacked. FusionInventory 2.6 sends 263 KiB for a
// server with 771 packages, 20 KiB compressed.
const (
	maxSent     = 16 << 20
	maxUnpacked = 64 << 20
)

var (
	errTooLarge = errors.New("the message is too large")
	errBusy     = fmt.Errorf("the collector is busy with %d MiB of inventories; try again later", maxInFlight>>20)
)

// packing is the compression of a message. Its value is the media type that these agents use.
type packing string

const (
	packedNot  packing = ""
	packedZlib packing = "application/x-compress-zlib" // RFC 1950
	packedGzip packing = "application/x-compress-gzip" // RFC 1952
)

// packingOf detects the compression from the first two bytes, because Content-Type is unreliable:
// OCS sends application/x-compress for zlib.
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

// body is an unpacked message.
type body struct {
	text    bytes.Buffer
	packing packing

	inFlight *semaphore.Weighted
	held     int64 // bytes acquired from inFlight
}

// read reads and unpacks a request's body. It returns errTooLarge, errBusy, or the error of a
// malformed body.
func (b *body) read(w http.ResponseWriter, r *http.Request) error {
	sent := bufio.NewReader(http.MaxBytesReader(w, r.Body, maxSent))
	magic, _ := sent.Peek(2) // a shorter body is rejected by the import
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

// Write implements io.Writer. It enforces maxUnpacked and the limit on all messages in progress.
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

// release returns the held bytes to inFlight.
func (b *body) release() { b.inFlight.Release(b.held) }
