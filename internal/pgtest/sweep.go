package pgtest

import (
	"os"
	"path/filepath"
	"time"
)

// dirPrefix is the name prefix of the directories that contain the servers of test binaries.
const dirPrefix = "muster-pgtest-"

// abandoned is the age of a directory whose test has certainly ended: the go command ends a test
// binary after 10 minutes.
const abandoned = time.Hour

// sweep removes the directories that killed test binaries left in dir. Their servers ended with
// them.
func sweep(dir string) {
	left, _ := filepath.Glob(filepath.Join(dir, dirPrefix+"*")) // the pattern is well-formed
	for _, name := range left {
		if info, err := os.Stat(name); err == nil && time.Since(info.ModTime()) > abandoned {
			_ = os.RemoveAll(name) // it may belong to another user
		}
	}
}
