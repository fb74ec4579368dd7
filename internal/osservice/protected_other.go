//go:build !windows

package osservice

import (
	"fmt"
	"os"
	"path/filepath"
	"syscall"
)

// finishInstall has nothing to do on these systems.
func finishInstall(string) error { return nil }

// checkProtected returns an error if a user other than root could replace the program: the file or
// a directory above it belongs to another user or is writable for others.
func checkProtected(program string) error {
	for path := program; ; path = filepath.Dir(path) {
		info, err := os.Lstat(path)
		if err != nil {
			return err
		}
		owner, ok := info.Sys().(*syscall.Stat_t)
		if ok && owner.Uid != 0 || info.Mode().Perm()&0o022 != 0 && info.Mode()&os.ModeSticky == 0 {
			return fmt.Errorf("users other than root can change %s: "+
				"copy the program to a directory of root, such as /usr/local/bin, "+
				"and install the service from there", path)
		}
		if path == filepath.Dir(path) {
			return nil
		}
	}
}
