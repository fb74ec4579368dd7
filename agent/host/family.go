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

// IsMac reports whether the host runs macOS. A tree is a Mac's disk if it has the file that names
// the release of macOS.
func (h *Host) IsMac() bool {
	if h.Live() {
		return h.System() == "darwin"
	}
	_, err := h.Stat(MacRelease)
	return err == nil
}

// MacRelease is the file that names the release of macOS.
const MacRelease = "/System/Library/CoreServices/SystemVersion.plist"
