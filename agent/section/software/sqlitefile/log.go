package sqlitefile

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"maps"
)

// log is a write-ahead log up to its last commit (§4).
type log struct {
	file     io.ReaderAt
	pageSize int
	pages    uint32           // of the database after the last commit
	frames   map[uint32]int64 // offset of a page's content in the log, by page number
}

// The lengths and magic numbers of a write-ahead log (§4.1). The magic's last bit is the byte order
// of the checksums.
const (
	logHeaderLength   = 32
	frameHeaderLength = 24
	logMagic          = 0x377f0682
	logVersion        = 3007000
)

// readLog reads a log. It returns nil for a log without a commit, or one that was restarted.
func readLog(file io.ReaderAt, size int64) (*log, error) {
	header := make([]byte, logHeaderLength)
	if _, err := file.ReadAt(header, 0); errors.Is(err, io.EOF) {
		return nil, nil //nolint:nilnil // an empty log is the usual case
	} else if err != nil {
		return nil, fmt.Errorf("read write-ahead log: %w", err)
	}
	sum := checksum{order: binary.LittleEndian}
	word := binary.BigEndian.Uint32(header)
	if word&1 != 0 {
		sum.order = binary.BigEndian
	}
	sum.add(header[:24])
	pageSize := int64(binary.BigEndian.Uint32(header[8:]))
	switch {
	case word&^1 != logMagic, !sum.is(header[24:]):
		return nil, nil //nolint:nilnil // SQLite ignores such a log, too (§4.2)
	case binary.BigEndian.Uint32(header[4:]) != logVersion, pageSize < 512, pageSize > 65536:
		return nil, fmt.Errorf("%w: unknown write-ahead log", ErrFormat)
	}
	l := &log{file: file, pageSize: int(pageSize), frames: map[uint32]int64{}}
	if err := l.readFrames(header[16:24], sum, size); err != nil {
		return nil, err
	}
	if l.pages == 0 {
		return nil, nil //nolint:nilnil // nothing committed
	}
	return l, nil
}

// readFrames reads the frames that have the log's salt, up to the last complete commit.
func (l *log) readFrames(salt []byte, sum checksum, size int64) error {
	frame := make([]byte, frameHeaderLength+l.pageSize)
	pending := map[uint32]int64{}
	for at := int64(logHeaderLength); at+int64(len(frame)) <= size; at += int64(len(frame)) {
		if _, err := l.file.ReadAt(frame, at); err != nil {
			return fmt.Errorf("read write-ahead log: %w", unexpected(err))
		}
		sum.add(frame[:8])
		sum.add(frame[frameHeaderLength:])
		if string(frame[8:16]) != string(salt) || !sum.is(frame[16:]) {
			return nil
		}
		pending[binary.BigEndian.Uint32(frame)] = at + frameHeaderLength
		if pages := binary.BigEndian.Uint32(frame[4:]); pages > 0 {
			l.pages = pages
			maps.Copy(l.frames, pending)
			clear(pending)
		}
	}
	return nil
}

// checksum is the running checksum of a log (§4.2).
type checksum struct {
	order  binary.ByteOrder
	s0, s1 uint32
}

func (c *checksum) add(b []byte) {
	for ; len(b) >= 8; b = b[8:] {
		c.s0 += c.order.Uint32(b) + c.s1
		c.s1 += c.order.Uint32(b[4:]) + c.s0
	}
}

func (c *checksum) is(b []byte) bool {
	return binary.BigEndian.Uint32(b) == c.s0 && binary.BigEndian.Uint32(b[4:]) == c.s1
}
