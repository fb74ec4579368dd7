package volume

import (
	"cmp"
	"slices"
	"strings"
)

// choose returns the mounts that are volumes, sorted by mount point: real file systems that are not
// hidden by a later mount, each once, and for btrfs each subvolume once.
func choose(mounts []mount) []mount {
	best := map[string]mount{}
	for _, m := range visible(mounts) {
		if !m.real() {
			continue
		}
		id := m.identity()
		if other, seen := best[id]; !seen || m.preferredTo(other) {
			best[id] = m
		}
	}
	chosen := make([]mount, 0, len(best))
	for _, m := range best {
		chosen = append(chosen, m)
	}
	slices.SortFunc(chosen, func(a, b mount) int { return cmp.Compare(a.point, b.point) })
	return chosen
}

// visible leaves out mounts that are hidden by a later mount on the same point.
func visible(mounts []mount) []mount {
	top := make(map[string]int, len(mounts))
	for i, m := range mounts {
		top[m.point] = i
	}
	kept := make([]mount, 0, len(top))
	for i, m := range mounts {
		if top[m.point] == i {
			kept = append(kept, m)
		}
	}
	return kept
}

// real reports whether users regard the mount as a volume. That includes every file system on a
// block device except mounted package images, file systems without a block device that are known to
// hold data, and the root of the machine or container.
func (m mount) real() bool {
	switch {
	case m.point == "/":
		return m.fsType != "rootfs" // the kernel's own, below the actual root
	case m.onBlockDevice():
		return m.fsType != "squashfs" && m.fsType != "erofs"
	case m.fsType == "btrfs":
		// A bind mount of a directory has another root than its subvolume.
		return m.root == m.subvolume()
	case m.fsType == "zfs":
		return !strings.Contains(m.source, "@") // a snapshot, which the kernel mounts when it is visited
	case m.fsType == "bcachefs", m.fsType == "ubifs":
		return true
	case m.fuse():
		return m.fuseVolume()
	default:
		return m.remote()
	}
}

// remote reports whether another machine or a process serves the file system.
func (m mount) remote() bool {
	switch m.fsType {
	case "nfs", "nfs4", "cifs", "smb3", "smbfs", "ncpfs", "afs", "ceph", "glusterfs", "lustre", "gfs2", "ocfs2", "9p",
		"virtiofs", "vboxsf", "prl_fs":
		return true
	}
	return m.fuse()
}

// fuse reports whether a process serves the file system.
func (m mount) fuse() bool { return m.fsType == "fuse" || strings.HasPrefix(m.fsType, "fuse.") }

// fuseVolume reports whether a file system that a process serves holds data of its own: its source
// names a server or a device, or the system has mounted it for all users at a place for volumes.
// All others are views of what is counted already, which desktops, containers and mounted program
// images make for themselves. The type is not used: it is the name of any program.
func (m mount) fuseVolume() bool {
	switch {
	case m.private():
		return false
	case strings.HasPrefix(m.source, "/"):
		return strings.HasPrefix(m.source, "/dev/") || strings.HasPrefix(m.source, "//")
	case namesServer(m.source):
		return true
	default:
		return m.option("user_id") == "0" && m.hasOption("allow_other")
	}
}

// namesServer reports whether a source has the form "host:path", "user@host:path" or "scheme://…".
func namesServer(source string) bool {
	host, _, found := strings.Cut(source, ":")
	return found && host != "" && !strings.Contains(host, "/")
}

// private reports whether the mount point is at a place where programs keep files for their own
// use: runtime and temporary directories, caches and state, and hidden directories.
func (m mount) private() bool {
	for _, directory := range []string{
		"/run/", "/var/run/", "/tmp/", "/var/tmp/", "/dev/", "/proc/", "/sys/", "/var/lib/", "/var/cache/", "/snap/",
	} {
		if strings.HasPrefix(m.point, directory) && !strings.HasPrefix(m.point, "/run/media/") {
			return true
		}
	}
	return strings.Contains(m.point, "/.")
}

// identity is equal for two mounts of one file system.
func (m mount) identity() string {
	switch {
	case m.fsType == "btrfs":
		return m.device + m.subvolume()
	case m.remote(): // a server's shares may have different device numbers or one for all
		return m.device + m.source
	default:
		return m.device
	}
}

// subvolume returns the btrfs subvolume of the mount, or "/" for the top one or if the kernel does
// not report it.
func (m mount) subvolume() string {
	if name := m.option("subvol"); name != "" {
		return unescape(name)
	}
	return "/"
}

// preferredTo prefers the root of the machine, then the mount with more of the file system, then
// the shorter mount point. The others are directories that are mounted a second time.
func (m mount) preferredTo(other mount) bool {
	if (m.point == "/") != (other.point == "/") {
		return m.point == "/"
	}
	return cmp.Or(len(m.root)-len(other.root), len(m.point)-len(other.point), cmp.Compare(m.point, other.point)) < 0
}
