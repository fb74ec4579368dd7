package virtualmachine

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"syscall"
)

// maxFile bounds a definition, in bytes. A libvirt definition of a machine with many devices has
// about 30,000.
const maxFile = 1 << 20

// maxEntries bounds the entries of a directory that are examined.
const maxEntries = 2 * maxMachines

// absent reports whether an error means that the file does not exist.
func absent(err error) bool { return errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR) }

// list lists a directory, which may be absent.
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

// each reads the files of a directory that have a name suffix.
func (s *survey) each(directory, ending string, read func(name string, text []byte) error) {
	entries := s.list(directory)
	s.found = s.found || entries != nil
	for _, entry := range entries {
		if name := directory + "/" + entry.Name(); strings.HasSuffix(name, ending) && !entry.IsDir() {
			s.one(name, read)
		}
	}
}

// one reads a file and reports whether it exists.
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

// regular reads a regular file. The directories belong to users, so the name may be a pipe, which
// would block, or a device, which may never end.
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

// table reads a system table, which may be absent.
func (s *survey) table(name string) string {
	text, err := s.host.ReadFile(name, maxFile)
	if err != nil && !absent(err) {
		s.fail(err)
	}
	return string(text)
}
