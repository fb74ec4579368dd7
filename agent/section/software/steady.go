package software

import (
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/musterhq/muster/agent/host"
)

var errChanging = errors.New("the package database kept changing while it was read")

// steady reads a database of the named files. If they change meanwhile, what was read may be half old and half new:
// it is read once more, and if that does not help, the list is not complete.
func (l *list) steady(h *host.Host, names []string, read func() error) error {
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

// states describes the files; nil is one that is not there.
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
		if a != nil && (!os.SameFile(a, b) || a.Size() != b.Size() || !a.ModTime().Equal(b.ModTime())) {
			return false
		}
	}
	return true
}

// exists reports whether a file is there, as far as the agent may know: one that it may not look for is there, so
// that opening it says why it cannot be read.
func exists(h *host.Host, name string) bool {
	_, err := h.Stat(name)
	return !errors.Is(err, fs.ErrNotExist)
}

// openRegular opens a file and gives its size. Anything but a regular file is an error: a pipe would wait for ever.
func openRegular(h *host.Host, name string) (*os.File, int64, error) {
	info, err := h.Stat(name)
	if err != nil {
		return nil, 0, err
	}
	if !info.Mode().IsRegular() {
		return nil, 0, fmt.Errorf("%s: not a regular file", name)
	}
	f, err := h.Open(name)
	return f, info.Size(), err
}
