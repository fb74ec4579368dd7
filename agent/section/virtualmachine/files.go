package virtualmachine

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"syscall"

	"github.com/musterhq/muster/agent/host"
)

// maxFile bounds a definition, in bytes. A libvirt definition of a machine with many devices has
// about 30,000.
const maxFile = 1 << 20

// maxEntries bounds the entries of a directory that are examined.
const maxEntries = 2 * maxMachines

// absent reports whether an error means that the file does not exist.
func absent(err error) bool { return errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR) }

// place is where files are read: the system's directories, or the home of a user.
type place interface {
	ReadDir(name string, limit int) ([]fs.DirEntry, error)
	ReadFile(name string, limit int64) ([]byte, error)
}

// system reads the directories to which only the system writes.
type system struct{ host *host.Host }

func (s system) ReadDir(name string, limit int) ([]fs.DirEntry, error) {
	entries, err := s.host.ReadDir(name)
	if len(entries) > limit {
		return entries[:limit], fmt.Errorf("read %s: more than %d entries", name, limit)
	}
	return entries, err
}

// ReadFile reads a regular file. A pipe would block and a device may never end.
func (s system) ReadFile(name string, limit int64) ([]byte, error) {
	info, err := s.host.Stat(name)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() || info.Size() > limit {
		return nil, fmt.Errorf("read %s: not a file of at most %d bytes", name, limit)
	}
	return s.host.ReadInto(name, make([]byte, info.Size()+1))
}

// list lists a directory, which may be absent.
func (s *survey) list(in place, directory string) []fs.DirEntry {
	entries, _ := s.find(in, directory)
	return entries
}

// find lists a directory and reports whether it can be read, also if it is empty.
func (s *survey) find(in place, directory string) (entries []fs.DirEntry, found bool) {
	entries, err := in.ReadDir(directory, maxEntries)
	if err != nil && !absent(err) {
		s.fail(err)
	}
	return entries, err == nil
}

// each reads the files of a directory that have a name suffix.
func (s *survey) each(in place, directory, ending string, read func(name string, text []byte) error) {
	entries, found := s.find(in, directory)
	s.found = s.found || found
	for _, entry := range entries {
		if name := directory + "/" + entry.Name(); strings.HasSuffix(name, ending) && !entry.IsDir() {
			s.one(in, name, read)
		}
	}
}

// one reads a file and reports whether it exists and may be read.
func (s *survey) one(in place, name string, read func(name string, text []byte) error) bool {
	text, err := in.ReadFile(name, maxFile)
	if absent(err) {
		return false
	}
	if errors.Is(err, host.ErrRefused) {
		s.fail(err)
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

// table reads a system table, which may be absent.
func (s *survey) table(name string) string {
	text, err := s.host.ReadFile(name, maxFile)
	if err != nil && !absent(err) {
		s.fail(err)
	}
	return string(text)
}
