// Package host is the agent's only access to the machine: files, system tables, system calls and
// the libraries that make them. It is the only package of the agent with build tags. It reads; it
// never changes the machine. It starts no process except, on macOS, the commands of command.go. It
// records what it reads and replays it. Start reading at Host in host.go, then at Record in
// recording.go.
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

// ErrUnsupported reports that this system has no such source, or that the agent does not cover it.
var ErrUnsupported = errors.New("not supported on this system")

// Host is the machine that the agent runs on, a directory tree that represents one, or a recording.
type Host struct {
	root     string
	registry Registry // nil: the machine's own
	tape     *tape    // nil unless the host is recorded or replayed
}

// Local returns the machine itself.
func Local() *Host { return &Host{root: "/"} }

// Tree returns the machine whose root directory is mounted at dir: another disk, a chroot, a test
// tree. Only files are read from it; all other sources return ErrUnsupported.
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

// Live reports whether the host is the machine itself, so that system calls apply to it, or a
// recording of that.
func (h *Host) Live() bool {
	if h.tape != nil {
		return h.tape.header.Live
	}
	return h.root == "/"
}

// maxLinks bounds the symbolic links in the resolution of one name, as the kernel does
// (path_resolution(7)).
const maxLinks = 40

// Path returns the name under which this process finds a file of the host. It resolves symbolic
// links inside the tree, and absolute links from the tree's root, so that no link leads out of the
// tree. A recording has no such names.
func (h *Host) Path(name string) (string, error) {
	if h.tape != nil {
		return "", &fs.PathError{Op: "open", Path: name, Err: ErrUnsupported}
	}
	if h.Live() {
		return liveName(name)
	}
	resolved, rest, links := "/", path.Clean("/"+name), 0
	for rest != "/" && rest != "" {
		var step string
		step, rest = firstElement(rest)
		next := path.Join(resolved, step)
		target, err := os.Readlink(h.join(next))
		if err != nil { // not a link, or it does not exist; opening it returns the error
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

// OpenRegular opens a regular file and returns its size. Any other type of file is an error,
// because a pipe could block forever.
func (h *Host) OpenRegular(name string) (*os.File, int64, error) {
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

// Open opens a file of the host for reading. name is absolute, with slashes.
func (h *Host) Open(name string) (*os.File, error) {
	if h.tape != nil {
		return h.tape.open(name)
	}
	full, err := h.Path(name)
	if err != nil {
		return nil, err
	}
	return os.Open(full) //nolint:gosec // the agent's task is to read files whose names it makes itself
}

// ReadFile reads a file of at most limit bytes; a longer one is an error.
func (h *Host) ReadFile(name string, limit int64) ([]byte, error) {
	data, err := h.readLimited(name, limit+1)
	if err != nil {
		return nil, err
	}
	if int64(len(data)) > limit {
		return nil, fmt.Errorf("read %s: more than %d bytes", name, limit)
	}
	return data, nil
}

// readLimited reads the first limit bytes of a file.
func (h *Host) readLimited(name string, limit int64) ([]byte, error) {
	if h.tape != nil {
		return h.tape.read(name, limit, h.tape.source.readLimited)
	}
	f, err := h.Open(name)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	data, err := io.ReadAll(io.LimitReader(f, limit))
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", name, err)
	}
	return data, nil
}

// ReadDir lists a directory of the host, sorted by name.
func (h *Host) ReadDir(name string) ([]fs.DirEntry, error) {
	if h.tape != nil {
		return h.tape.readDir(name)
	}
	full, err := h.Path(name)
	if err != nil {
		return nil, err
	}
	return os.ReadDir(full)
}

// Stat follows symbolic links.
func (h *Host) Stat(name string) (fs.FileInfo, error) {
	if h.tape != nil {
		return h.tape.stat(name)
	}
	full, err := h.Path(name)
	if err != nil {
		return nil, err
	}
	return os.Stat(full)
}

// Lstat does not follow a symbolic link in the last element of the name.
func (h *Host) Lstat(name string) (fs.FileInfo, error) {
	if h.tape != nil {
		return h.tape.lstat(name)
	}
	full, err := h.unresolved(name)
	if err != nil {
		return nil, err
	}
	return os.Lstat(full)
}

// Readlink returns the target of a symbolic link without resolving it.
func (h *Host) Readlink(name string) (string, error) {
	if h.tape != nil {
		return h.tape.readlink(name)
	}
	full, err := h.unresolved(name)
	if err != nil {
		return "", err
	}
	return os.Readlink(full)
}

// unresolved is Path without the resolution of the last element.
func (h *Host) unresolved(name string) (string, error) {
	parent, err := h.Path(path.Dir(name))
	if err != nil {
		return "", err
	}
	return filepath.Join(parent, path.Base(name)), nil
}
