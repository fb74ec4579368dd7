package host

import (
	"bufio"
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"time"
)

// A recording is a directory. Its content does not depend on the order of the reads:
//   - recording.json describes the machine and the format.
//   - files.jsonl has a line per name: the results of stat, readlink and so on, sorted by name.
//   - calls.jsonl has a line per question to the system that is not a file, sorted.
//   - files/ has the content of each file that was read, below its name.
const (
	headerFile   = "recording.json"
	namesFile    = "files.jsonl"
	callsFile    = "calls.jsonl"
	contentDir   = "files"
	formatNumber = 1
)

// maxRecording bounds the content of a recording, in bytes. The package database of a large server
// has about 200 MB.
const maxRecording = 512 << 20

// maxIndexLine bounds a line of the indexes, in bytes. The longest are the output of a command and
// the list of a directory with many files.
const maxIndexLine = 64 << 20

// header is the content of recording.json.
type header struct {
	Format int       `json:"format"`
	System string    `json:"system"` // GOOS
	Arch   string    `json:"arch"`   // GOARCH
	Live   bool      `json:"live"`
	Now    time.Time `json:"now"`
}

// Recording saves what is read from a host.
type Recording struct {
	tape *tape
	host *Host
}

// Record starts to record what is read from h into a new or empty directory. Secrets are replaced
// before anything is written. The recording's host answers each question once and repeats its
// answer, so that a replay answers alike.
func Record(h *Host, dir string) (*Recording, error) {
	entries, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("recording: %w", err)
	}
	if len(entries) > 0 {
		return nil, fmt.Errorf("recording: the directory %s is not empty", dir)
	}
	if err := os.MkdirAll(filepath.Join(dir, contentDir), 0o700); err != nil {
		return nil, fmt.Errorf("recording: %w", err)
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, fmt.Errorf("recording: %w", err)
	}
	t := newTape(root, header{
		Format: formatNumber, System: h.System(), Arch: h.Arch(), Live: h.Live(), Now: h.Now().UTC().Round(0),
	})
	t.source, t.left = h, maxRecording
	return &Recording{tape: t, host: &Host{root: h.root, tape: t}}, nil
}

// Host returns the host that is recorded.
func (r *Recording) Host() *Host { return r.host }

// Omitted lists the files that are left out because the recording is full.
func (r *Recording) Omitted() []string {
	r.tape.mutex.Lock()
	defer r.tape.mutex.Unlock()
	return slices.Sorted(slices.Values(r.tape.omitted))
}

// Close writes the indexes. The host must not be used after it.
func (r *Recording) Close() error {
	t := r.tape
	t.mutex.Lock()
	defer t.mutex.Unlock()
	t.closed = true
	calls := slices.SortedFunc(maps.Values(t.calls), func(a, b *callRecord) int {
		return cmp.Or(cmp.Compare(a.Call, b.Call), cmp.Compare(a.Argument, b.Argument))
	})
	names := slices.SortedFunc(maps.Values(t.names), func(a, b *nameRecord) int { return cmp.Compare(a.Name, b.Name) })
	err := errors.Join(
		writeLines(t.dir, headerFile, []header{t.header}),
		writeLines(t.dir, callsFile, calls),
		writeLines(t.dir, namesFile, names),
		t.dir.Close())
	if err != nil {
		return fmt.Errorf("write recording: %w", err)
	}
	return nil
}

// Replay returns the machine that a recording describes. What the recording does not contain does
// not exist on it.
func Replay(dir string) (*Host, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, fmt.Errorf("recording: %w", err)
	}
	t := newTape(root, header{})
	err = errors.Join(
		readLines(root, headerFile, func(h header) { t.header = h }),
		readLines(root, callsFile, func(c callRecord) { t.calls[c.key()] = &c }),
		readLines(root, namesFile, func(n nameRecord) { t.names[n.Name] = &n }))
	if err == nil && t.header.Format != formatNumber {
		err = fmt.Errorf("format %d is not known, only %d is", t.header.Format, formatNumber)
	}
	if err != nil {
		_ = root.Close()
		return nil, fmt.Errorf("read recording %s: %w", dir, err)
	}
	return &Host{tape: t}, nil
}

// System returns the operating system of the host, as GOOS. A tree is taken for one of the system
// that the agent runs on.
func (h *Host) System() string {
	if h.tape != nil {
		return h.tape.header.System
	}
	return runtime.GOOS
}

// Arch returns the architecture that the agent was built for, as GOARCH. In a recording it is that
// of the agent that recorded it.
func (h *Host) Arch() string {
	if h.tape != nil {
		return h.tape.header.Arch
	}
	return runtime.GOARCH
}

// Now returns the time at which the host is read.
func (h *Host) Now() time.Time {
	if h.tape != nil {
		return h.tape.header.Now
	}
	return time.Now()
}

func writeLines[T any](dir *os.Root, name string, lines []T) error {
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	for _, line := range lines {
		if err := encoder.Encode(line); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return dir.WriteFile(name, text.Bytes(), 0o600)
}

func readLines[T any](dir *os.Root, name string, add func(T)) error {
	f, err := dir.Open(name)
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }()
	lines := bufio.NewScanner(io.LimitReader(f, maxRecording))
	lines.Buffer(nil, maxIndexLine)
	for number := 1; lines.Scan(); number++ {
		var line T
		if err := json.Unmarshal(lines.Bytes(), &line); err != nil {
			return fmt.Errorf("%s, line %d: %w", name, number, err)
		}
		add(line)
	}
	if err := lines.Err(); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}
