package host

// Mount is a mounted file system of macOS. Linux lists its own in a file.
type Mount struct {
	Point  string
	Device string // e.g. "/dev/disk3s5"
	Type   string // e.g. "apfs"
	Local  bool   // not on a network
	Hidden bool   // MNT_DONTBROWSE: users do not see it
	Total  uint64 // bytes
	Free   uint64 // bytes that an ordinary user may fill
}

// Mounts returns the mounted file systems. It does not wait for servers.
func (h *Host) Mounts() ([]Mount, error) { return ask(h, "mounts", "", mounts) }
