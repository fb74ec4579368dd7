package user

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"

	"github.com/musterhq/muster/agent/host"
)

const (
	logDirectory = "/var/log/"
	wtmp         = logDirectory + "wtmp"
)

// maxRecords bounds the part of one file that is read, in bytes from its end: about 10,000 records.
const maxRecords = 400 * alignment

// readRecords reads the session records, including the most recently rotated file. Without that
// file, a machine would have no users for some time after each rotation.
func readRecords(h *host.Host) ([]record, error) {
	current, err := readTail(h, wtmp)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%w: no record of sessions in %s", host.ErrUnsupported, wtmp)
	}
	if err != nil {
		return nil, err
	}
	name := rotated(h)
	if name == "" {
		return parse(current), nil
	}
	before, err := readTail(h, name)
	return append(parse(before), parse(current)...), err
}

// rotated returns the most recent rotated file that is not compressed: "wtmp.1", or "wtmp-20240131"
// with the date in the name (logrotate(8)). It returns "" if there is none.
func rotated(h *host.Host) string {
	entries, err := h.ReadDir(logDirectory)
	if err != nil {
		return ""
	}
	youngest := ""
	for _, entry := range entries { // sorted by name
		if entry.Name() == "wtmp.1" {
			return wtmp + ".1"
		}
		date, found := strings.CutPrefix(entry.Name(), "wtmp-")
		if found && len(date) >= len("20240131") && strings.Trim(date, "0123456789") == "" {
			youngest = logDirectory + entry.Name()
		}
	}
	return youngest
}

// readTail reads the end of a file, from an offset that is a record boundary in every layout.
func readTail(h *host.Host, name string) ([]byte, error) {
	f, err := h.Open(name)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	start := max(0, info.Size()-maxRecords)
	start = (start + alignment - 1) / alignment * alignment
	data := make([]byte, max(0, info.Size()-start))
	n, err := f.ReadAt(data, start)
	if err != nil && !errors.Is(err, io.EOF) { // io.EOF: the file was truncated by a rotation
		return nil, fmt.Errorf("read %s: %w", name, err)
	}
	return data[:n], nil
}
