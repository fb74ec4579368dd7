package state

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
)

// keptAside is how many damaged files are kept for diagnosis.
const keptAside = 3

// moveAside renames a damaged file to <name>.corrupt-1. It renumbers the older ones and deletes the
// oldest.
func moveAside(path string) error {
	for n := keptAside - 1; n >= 1; n-- {
		if err := os.Rename(aside(path, n), aside(path, n+1)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return os.Rename(path, aside(path, 1))
}

// dropAside deletes the damaged files and reports whether there was one.
func dropAside(path string) (dropped bool) {
	for n := 1; n <= keptAside; n++ {
		dropped = os.Remove(aside(path, n)) == nil || dropped
	}
	return dropped
}

func aside(path string, n int) string { return fmt.Sprintf("%s.corrupt-%d", path, n) }

// replaceFile writes a file so that after a crash or power loss it has either its old or its new
// content.
func replaceFile(path string, data []byte) error {
	temporary := path + ".tmp"
	if err := writeSynced(temporary, data); err != nil {
		_ = os.Remove(temporary) // on a full disk it would occupy the space that the next attempt needs
		return err
	}
	if err := os.Rename(temporary, path); err != nil {
		return err
	}
	return syncDir(filepath.Dir(path))
}

func writeSynced(path string, data []byte) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600) //nolint:gosec // a name of our own
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	return errors.Join(err, f.Sync(), f.Close())
}

// syncDir makes a rename durable. Windows does that without a call and offers no handle for it.
func syncDir(dir string) error {
	if runtime.GOOS == "windows" {
		return nil
	}
	f, err := os.Open(dir) //nolint:gosec // the state directory
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}
