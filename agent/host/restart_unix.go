//go:build unix

package host

import (
	"fmt"
	"os"
	"strings"

	"golang.org/x/sys/unix"
)

// Restart replaces this process by a new one of the same program with the same arguments, which
// ends all its threads. It returns only after an error.
func Restart() error {
	program, err := os.Executable()
	if err != nil {
		return fmt.Errorf("restart: %w", err)
	}
	program = strings.TrimSuffix(program, deletedSuffix) // an upgrade has replaced the file
	return fmt.Errorf("restart: %w", unix.Exec(program, os.Args, os.Environ()))
}
