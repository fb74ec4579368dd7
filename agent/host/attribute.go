package host

import (
	"bytes"
	"errors"
	"fmt"
)

// ReadInto reads a file that fits in buf and returns the part of buf that it fills; a longer file is an error, and
// what of it fits is returned with the error. It never waits for a writer, so a named pipe where a file should be
// reads as empty, and it costs a third of ReadFile: worth it where a section reads some hundred small files.
func (h *Host) ReadInto(name string, buf []byte) ([]byte, error) {
	full, err := h.Path(name)
	if err != nil {
		return nil, err
	}
	n, err := readInto(full, buf)
	if errors.Is(err, errLonger) {
		err = fmt.Errorf("read %s: more than %d bytes", name, len(buf)-1)
	}
	return buf[:n], err
}

// errLonger says that a file goes on where the buffer ends.
var errLonger = errors.New("longer than the buffer")

// maxAttribute bounds an attribute: sysfs shows at most a page, and those of one line are far shorter.
const maxAttribute = 512

// Attribute reads a file that holds one short value, as those of /sys do, without the blanks and NULs around it.
// It is empty where there is no such file, it cannot be read, or it is no attribute by its size.
func (h *Host) Attribute(name string) string {
	var buf [maxAttribute]byte
	data, err := h.ReadInto(name, buf[:])
	if err != nil {
		return ""
	}
	return string(bytes.Trim(data, " \t\r\n\x00"))
}
