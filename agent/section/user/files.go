package user

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strings"
	"time"

	"github.com/musterhq/muster/agent/host"
)

const (
	logDirectory = "/var/log/"
	wtmp         = logDirectory + "wtmp"
)

// maxRecords bounds the part of one file that is read, in bytes from its end: about 10,000 records.
const maxRecords = 400 * alignment

// memory is how far the session records reach back from the last one. Machines that were used by
// other people before should not have them as users for ever, and files that are not rotated grow
// for years.
const memory = 90 * 24 * time.Hour

// readRecords reads the session records of all sources in the order of time. A source that ends
// long before another one has been given up by the system.
func readRecords(ctx context.Context, h *host.Host) ([]record, error) {
	records, dbErr := readDatabase(ctx, h)
	ofFile, fileErr := readFiles(h)
	noDatabase, noFile := errors.Is(dbErr, fs.ErrNotExist), errors.Is(fileErr, fs.ErrNotExist)
	if noDatabase && noFile {
		return nil, fmt.Errorf("%w: no record of sessions in %s or %s", host.ErrUnsupported, wtmp, wtmpdb)
	}
	if noDatabase {
		dbErr = nil
	}
	if noFile {
		fileErr = nil
	}
	if len(records) > 0 && len(ofFile) > 0 { // during a change from one to the other both record sessions
		records = slices.Concat(ofFile, records)
		slices.SortStableFunc(records, func(a, b record) int { return a.at.Compare(b.at) })
	} else {
		records = append(records, ofFile...)
	}
	return recent(records), errors.Join(dbErr, fileErr)
}

// recent returns the records since memory before the last one. The order of the records is kept,
// because a clock may have been set.
func recent(records []record) []record {
	if len(records) == 0 {
		return nil
	}
	since := records[len(records)-1].at.Add(-memory)
	for i, r := range slices.Backward(records) {
		if r.at.Before(since) {
			return records[i+1:]
		}
	}
	return records
}

// readFiles reads wtmp and the most recently rotated file. Without that file, a machine would have
// no users for some time after each rotation.
func readFiles(h *host.Host) ([]record, error) {
	current, err := readTail(h, wtmp)
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
