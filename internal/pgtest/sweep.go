package pgtest

import (
	"os"
	"path/filepath"
	"time"
)

// dirPrefix begins the name of every directory that a test binary keeps its server in.
const dirPrefix = "muster-pgtest-"

// abandoned is the age at which no test runs any more: the go command ends a test binary after 10 minutes.
const abandoned = time.Hour

// sweep removes what test binaries left in dir that were killed before they could. Their servers ended with them.
func sweep(dir string) {
	left, _ := filepath.Glob(filepath.Join(dir, dirPrefix+"*")) // the pattern is well-formed
	for _, name := range left {
		if info, err := os.Stat(name); err == nil && time.Since(info.ModTime()) > abandoned {
			_ = os.RemoveAll(name) // it may be another user's
		}
	}
}
