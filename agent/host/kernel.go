package host

// Kernel describes the running kernel.
type Kernel struct {
	Hostname string
	Release  string // e.g. "6.1.0-37-amd64"
	Arch     string // of the machine, in the kernel's terms, e.g. "x86_64"
}

// Kernel describes the running kernel. It is unsupported for a tree.
func (h *Host) Kernel() (Kernel, error) {
	return ask(h, "kernel", "", kernel)
}
