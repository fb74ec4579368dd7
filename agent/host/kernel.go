package host

import "fmt"

// Kernel is what the running kernel says of itself.
type Kernel struct {
	Hostname string
	Release  string // e.g. "6.1.0-37-amd64"
	Arch     string // the machine's, in the kernel's words, e.g. "x86_64"
}

// Kernel asks the running kernel about itself. A tree has none.
func (h *Host) Kernel() (Kernel, error) {
	if !h.Live() {
		return Kernel{}, fmt.Errorf("kernel of a tree: %w", ErrUnsupported)
	}
	return kernel()
}
