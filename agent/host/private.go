package host

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
)

// MakePrivate makes a directory that only this user and the system can read, with the directories
// above it, and reports whether it did not exist. It returns an error for a directory that others
// can read or that is not trustworthy, and does not change it: it may belong to somebody else.
func MakePrivate(dir string) (made bool, err error) {
	if _, err = os.Stat(dir); errors.Is(err, fs.ErrNotExist) {
		return true, makePrivate(dir)
	}
	if err != nil {
		return false, fmt.Errorf("inspect directory: %w", err)
	}
	return false, checkPrivate(dir)
}
