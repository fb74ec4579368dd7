//go:build !windows

package host

import (
	"fmt"
	"os"
)

// ProgramData returns "", because only Windows has such a folder.
func ProgramData() string { return "" }

func makePrivate(dir string) error { return os.MkdirAll(dir, 0o700) }

func checkPrivate(dir string) error {
	info, err := os.Stat(dir)
	if err != nil {
		return err
	}
	if mode := info.Mode().Perm(); mode&0o077 != 0 {
		return fmt.Errorf("other users can read the directory %s (mode %04o): "+
			"change its mode to 0700 or choose another directory", dir, mode)
	}
	return nil
}
