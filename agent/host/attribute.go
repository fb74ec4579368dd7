package host

import (
	"bytes"
	"errors"
	"fmt"
)

// ReadInto reads a file that fits in buf and returns the filled part of buf. For a longer file it
// returns an error and the part that fits. It never waits for a writer, so a named pipe reads as
// empty. It costs a third of ReadFile, which matters in a section that reads hundreds of small
// files.
func (h *Host) ReadInto(name string, buf []byte) ([]byte, error) {
	n, err := h.readInto(name, buf)
	if errors.Is(err, errLonger) {
		err = fmt.Errorf("read %s: more than %d bytes", name, len(buf)-1)
	}
	return buf[:n], err
}

func (h *Host) readInto(name string, buf []byte) (int, error) {
	if h.tape == nil {
		full, err := h.Path(name)
		if err != nil {
			return 0, err
		}
		return readInto(full, buf)
	}
	data, err := h.tape.read(name, int64(len(buf)), h.tape.source.readWithoutWaiting)
	n := copy(buf, data)
	if err == nil && n == len(buf) {
		err = errLonger
	}
	return n, err
}

// readWithoutWaiting reads the first limit bytes of a file as readInto does.
func (h *Host) readWithoutWaiting(name string, limit int64) ([]byte, error) {
	buf := make([]byte, limit)
	n, err := h.readInto(name, buf)
	if errors.Is(err, errLonger) {
		err = nil
	}
	return buf[:n], err
}

// errLonger reports that the file is longer than the buffer.
var errLonger = errors.New("longer than the buffer")

// maxAttribute bounds an attribute, in bytes. sysfs returns at most a page, and attributes of one
// line are far shorter.
const maxAttribute = 512

// Attribute reads a file with one short value, such as those below /sys, and trims blanks and NULs.
// It returns "" if the file does not exist, cannot be read or has more than maxAttribute bytes.
func (h *Host) Attribute(name string) string {
	var buf [maxAttribute]byte
	data, err := h.ReadInto(name, buf[:])
	if err != nil {
		return ""
	}
	return string(bytes.Trim(data, " \t\r\n\x00"))
}
