package software

import (
	"errors"
	"io/fs"
	"slices"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/musterhq/muster/agent/host"
)

var errChanging = errors.New("the package database kept changing while it was read")

// readStable reads a database that consists of the named files. If they change during the read, the
// result may mix old and new content, so it reads once more. If they change again, the list is
// incomplete.
func (l *list) readStable(h *host.Host, names []string, read func() error) error {
	start := len(l.items)
	for attempt := 1; ; attempt++ {
		l.items = l.items[:start]
		before := states(h, names)
		err := read()
		if unchanged(before, states(h, names)) {
			return err
		}
		if attempt == 2 {
			return errors.Join(errChanging, err)
		}
	}
}

// kept is what an earlier run of this process read from a database.
type kept struct {
	release release
	states  []fs.FileInfo
	items   []proto.Message
}

// settled is how long the files of a database must be unchanged before what is read from them is
// kept. A file system may record two changes within a tick of its clock with one time; some have a
// tick of two seconds.
const settled = 3 * time.Second

// readUnlessKept is readStable, except that it reads nothing if no named file has changed since the
// previous run. names must be all files that determine the result.
func (l *list) readUnlessKept(h *host.Host, names []string, read func() error) error {
	before := states(h, names)
	if k, ok := l.kept[names[0]]; ok && k.release == l.release && unchanged(k.states, before) {
		l.items = append(l.items, k.items...)
		return nil
	}
	delete(l.kept, names[0])
	start := len(l.items)
	err := l.readStable(h, names, read)
	if err == nil && l.kept != nil && unchanged(before, states(h, names)) && settledBefore(before, h.Now()) {
		l.kept[names[0]] = kept{l.release, before, slices.Clone(l.items[start:])}
	}
	return err
}

// settledBefore reports whether all files were last changed well before now.
func settledBefore(files []fs.FileInfo, now time.Time) bool {
	for _, info := range files {
		if info != nil && now.Sub(info.ModTime()) < settled {
			return false
		}
	}
	return true
}

// states returns the files' metadata; nil for a file that does not exist.
func states(h *host.Host, names []string) []fs.FileInfo {
	infos := make([]fs.FileInfo, len(names))
	for i, name := range names {
		if info, err := h.Stat(name); err == nil {
			infos[i] = info
		}
	}
	return infos
}

func unchanged(before, after []fs.FileInfo) bool {
	for i, b := range before {
		a := after[i]
		if (a == nil) != (b == nil) {
			return false
		}
		if a != nil && (!host.SameFile(a, b) || a.Size() != b.Size() || !a.ModTime().Equal(b.ModTime())) {
			return false
		}
	}
	return true
}

// exists reports whether a file exists. It returns true for a file that the agent may not look up,
// so that opening the file reports the error.
func exists(h *host.Host, name string) bool {
	_, err := h.Stat(name)
	return !errors.Is(err, fs.ErrNotExist)
}
