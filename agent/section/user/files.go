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

// maxRecords bounds what is read of one file, in bytes from its end: about 10,000 records.
const maxRecords = 400 * alignment

// readRecords reads the record of sessions, with the file that was current before the last rotation: without it, a
// machine would have no users for a while after each.
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

// rotated names the youngest of the files that were rotated away and not compressed, empty for none: "wtmp.1", or with
// the date in the name "wtmp-20240131" (logrotate(8)).
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

// readTail reads the end of a file, from a place where records of each layout begin.
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
	if err != nil && !errors.Is(err, io.EOF) { // it was rotated away meanwhile
		return nil, fmt.Errorf("read %s: %w", name, err)
	}
	return data[:n], nil
}
