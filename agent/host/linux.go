package host

import "fmt"

// RequireLinux returns ErrUnsupported unless the host runs Linux. Files such as /etc/group also
// exist on macOS, where they do not have the whole truth. A tree is Linux if a distribution or a
// kernel has left its files there.
func (h *Host) RequireLinux() error {
	if h.Live() {
		if h.System() == "linux" {
			return nil
		}
		return fmt.Errorf("%w: not collected on %s", ErrUnsupported, h.System())
	}
	for _, name := range []string{"/etc/os-release", "/usr/lib/os-release", "/proc/version"} {
		if _, err := h.Stat(name); err == nil {
			return nil
		}
	}
	return fmt.Errorf("%w: the tree has no os-release", ErrUnsupported)
}
