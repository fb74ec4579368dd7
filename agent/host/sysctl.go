package host

// SysctlText returns a text of the kernel's state on macOS (sysctl(3)).
func (h *Host) SysctlText(name string) (string, error) {
	return ask(h, "sysctl text", name, func() (string, error) { return sysctlText(name) })
}

// SysctlNumber returns a number of the kernel's state on macOS.
func (h *Host) SysctlNumber(name string) (uint64, error) {
	return ask(h, "sysctl number", name, func() (uint64, error) { return sysctlNumber(name) })
}
