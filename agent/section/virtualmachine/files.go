package virtualmachine

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"syscall"
)

// maxFile bounds a definition in bytes: libvirt's of a machine with all that one can have has some 30,000.
const maxFile = 1 << 20

// maxEntries bounds what is looked at of a directory.
const maxEntries = 2 * maxMachines

// absent reports whether an error says that nothing is there.
func absent(err error) bool { return errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR) }

// list lists a directory that need not be there.
func (s *survey) list(directory string) []fs.DirEntry {
	entries, err := s.host.ReadDir(directory)
	if err != nil && !absent(err) {
		s.fail(err)
	}
	if len(entries) > maxEntries {
		s.fail(fmt.Errorf("%d entries in %s: those beyond %d are left out", len(entries), directory, maxEntries))
		entries = entries[:maxEntries]
	}
	return entries
}

// each reads the files of a directory whose names have an ending.
func (s *survey) each(directory, ending string, read func(name string, text []byte) error) {
	entries := s.list(directory)
	s.found = s.found || entries != nil
	for _, entry := range entries {
		if name := directory + "/" + entry.Name(); strings.HasSuffix(name, ending) && !entry.IsDir() {
			s.one(name, read)
		}
	}
}

// one reads a file and reports whether it is there.
func (s *survey) one(name string, read func(name string, text []byte) error) bool {
	text, err := s.regular(name)
	if absent(err) {
		return false
	}
	if err == nil {
		if err = read(name, text); err != nil {
			err = fmt.Errorf("read %s: %w", name, err)
		}
	}
	if err != nil {
		s.fail(err)
	}
	return true
}

// regular reads a file in a place where users may put other things: a pipe would have the agent wait, and a device might
// never end.
func (s *survey) regular(name string) ([]byte, error) {
	info, err := s.host.Stat(name)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() || info.Size() > maxFile {
		return nil, fmt.Errorf("read %s: not a file of at most %d bytes", name, maxFile)
	}
	return s.host.ReadInto(name, make([]byte, info.Size()+1))
}

// table reads a table of the system that need not be there.
func (s *survey) table(name string) string {
	text, err := s.host.ReadFile(name, maxFile)
	if err != nil && !absent(err) {
		s.fail(err)
	}
	return string(text)
}
