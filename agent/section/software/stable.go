package software

import (
	"errors"
	"io/fs"

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
