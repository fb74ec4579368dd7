package host

import (
	"io/fs"
	"path/filepath"
)

// liveName accepts names with a drive only. Windows would look for any other, such as the files of
// Linux, on the current drive, where every user may make folders.
func liveName(name string) (string, error) {
	if len(name) < 3 || name[1] != ':' {
		return "", &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
	}
	return filepath.FromSlash(name), nil
}
