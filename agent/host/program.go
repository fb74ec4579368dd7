package host

import (
	"fmt"
	"io/fs"
	"os"
	"path"
	"strings"
)

// deletedSuffix marks the program of a process whose file was replaced, as by an upgrade (proc(5)).
const deletedSuffix = " (deleted)"

// Program returns the file that a process runs, if only the system could have put it there: the
// file and all directories above it belong to the owner of the root directory, and no one else may
// write to them. The name and the arguments of a process prove nothing; each user can choose them.
// If the program is a user's, Program returns ErrRefused.
func (h *Host) Program(pid string) (string, error) {
	if h.tape != nil {
		return ask(h, "program", pid, func() (string, error) { return h.tape.source.Program(pid) })
	}
	link := "/proc/" + pid + "/exe"
	name, err := h.Readlink(link)
	if err != nil {
		return "", err
	}
	name, replaced := strings.CutSuffix(name, deletedSuffix)
	refused := fmt.Errorf("process %s runs %s: %w", pid, name, ErrRefused)
	runs, err := h.Stat(link)
	if err != nil && (!replaced || h.Live()) {
		return "", err
	}
	// The name may be that of another file in the process's own view of the file systems.
	file, err := h.Stat(name)
	if err != nil {
		return "", refused
	}
	if !replaced && !SameFile(runs, file) || runs != nil && !h.ofSystem(runs, 0o022) || !h.ofSystem(file, 0o022) {
		return "", refused
	}
	for dir := path.Dir(name); ; dir = path.Dir(dir) {
		info, err := h.Stat(dir)
		if err != nil || !h.ofSystem(info, 0o002) {
			return "", refused
		}
		if dir == "/" || dir == "." {
			return name, nil
		}
	}
}

// ofSystem reports whether a file belongs to the owner of the root directory and has none of the
// permissions.
func (h *Host) ofSystem(info fs.FileInfo, permissions fs.FileMode) bool {
	root, err := os.Stat(h.root)
	if err != nil || info.Mode()&permissions != 0 {
		return false
	}
	system, known := ownerOf(root)
	owner, _ := ownerOf(info)
	return known && owner == system
}
