package host

import "fmt"

// Restart returns an error, because a process cannot be replaced on Windows. The caller ends, and
// the service manager starts it again.
func Restart() error { return fmt.Errorf("restart: %w", ErrUnsupported) }
