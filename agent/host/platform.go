package host

import "time"

// Platform describes a system other than Linux. Linux describes itself in files.
type Platform struct {
	Name        string // e.g. "Microsoft Windows 11 Pro"
	Version     string
	BootTime    time.Time // zero if unknown
	MemoryBytes uint64    // 0 if unknown
	SwapBytes   uint64    // 0 if unknown or none
}

// Platform calls the system's own interfaces.
func (h *Host) Platform() (Platform, error) {
	return ask(h, "platform", "", platform)
}
