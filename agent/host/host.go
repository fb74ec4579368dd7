// Package host is the only door to the machine: files, system tables, system calls, and the libraries that make
// them. Build tags stand here and nowhere else in the agent. It reads; it never changes the machine and never
// starts a process.
package host

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
)

// ErrUnsupported says that this system has no such source, or that it is not covered yet.
var ErrUnsupported = errors.New("not supported on this system")

// Host is the machine that the agent runs on, or a tree of files that stands in for one.
type Host struct {
	root string
}

// Local is the machine itself.
func Local() *Host { return &Host{root: "/"} }

// Tree is the machine whose root directory is mounted at dir: another disk, a chroot, a test tree. Only what is
// read from files is read from it; the rest is unsupported.
func Tree(dir string) (*Host, error) {
	root, err := filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("resolve root directory: %w", err)
	}
	info, err := os.Stat(root)
	if err != nil {
		return nil, fmt.Errorf("root directory: %w", err)
	}
	if !info.IsDir() {
		return nil, fmt.Errorf("root directory %s: not a directory", dir)
	}
	return &Host{root: root}, nil
}

// Live reports whether the host is the machine itself, so that system calls tell about it.
func (h *Host) Live() bool { return h.root == "/" }

// maxLinks bounds the symbolic links that one name may lead through, as the kernel does (path_resolution(7)).
const maxLinks = 40

// Path gives the name under which the process finds a file of the host. Symbolic links are followed inside the
// host's tree, an absolute one starting at its root, so that a tree never leads out of itself.
func (h *Host) Path(name string) (string, error) {
	if h.Live() {
		return filepath.FromSlash(name), nil
	}
	resolved, rest, links := "/", path.Clean("/"+name), 0
	for rest != "/" && rest != "" {
		var step string
		step, rest = firstElement(rest)
		next := path.Join(resolved, step)
		target, err := os.Readlink(h.join(next))
		if err != nil { // no link, or nothing there: whoever opens it will say so
			resolved = next
			continue
		}
		if links++; links > maxLinks {
			return "", &fs.PathError{Op: "open", Path: name, Err: errors.New("too many links")}
		}
		if path.IsAbs(target) {
			resolved = "/"
		}
		rest = path.Join("/", resolved, target, rest)
		resolved = "/"
	}
	return h.join(resolved), nil
}

func (h *Host) join(name string) string { return filepath.Join(h.root, filepath.FromSlash(name)) }

func firstElement(name string) (first, rest string) {
	name = name[1:] // the leading slash
	for i := range len(name) {
		if name[i] == '/' {
			return name[:i], name[i:]
		}
	}
	return name, ""
}

// Open opens a file of the host for reading. name is absolute, with slashes.
func (h *Host) Open(name string) (*os.File, error) {
	full, err := h.Path(name)
	if err != nil {
		return nil, err
	}
	return os.Open(full) //nolint:gosec // the agent's task is to read files whose names it makes itself
}

// ReadFile reads a file of at most limit bytes; a longer one is an error.
func (h *Host) ReadFile(name string, limit int64) ([]byte, error) {
	f, err := h.Open(name)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	data, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", name, err)
	}
	if int64(len(data)) > limit {
		return nil, fmt.Errorf("read %s: more than %d bytes", name, limit)
	}
	return data, nil
}

// ReadDir lists a directory of the host, sorted by name.
func (h *Host) ReadDir(name string) ([]fs.DirEntry, error) {
	full, err := h.Path(name)
	if err != nil {
		return nil, err
	}
	return os.ReadDir(full)
}

// Stat describes a file of the host, at the end of its links.
func (h *Host) Stat(name string) (fs.FileInfo, error) {
	full, err := h.Path(name)
	if err != nil {
		return nil, err
	}
	return os.Stat(full)
}

// Readlink gives the target of a symbolic link as it is written.
func (h *Host) Readlink(name string) (string, error) {
	parent, err := h.Path(path.Dir(name))
	if err != nil {
		return "", err
	}
	return os.Readlink(filepath.Join(parent, path.Base(name)))
}
