package volume

import (
	"cmp"
	"slices"
	"strings"
)

// choose keeps the mounts that are volumes: those of real file systems that nothing else is mounted over, one for
// each file system, and for btrfs one for each subvolume. In the order of their mount points.
func choose(mounts []mount) []mount {
	best := map[string]mount{}
	for _, m := range visible(mounts) {
		if !m.real() {
			continue
		}
		id := m.identity()
		if other, seen := best[id]; !seen || m.tellsMoreThan(other) {
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

// visible leaves out what lies under a later mount on the same point.
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

// real reports whether the mount is a volume to its users. Everything on a block device is, but for packages that
// are mounted images; without a block device those file systems are that are known to hold data; and whatever the
// machine, or the container, has as its root.
func (m mount) real() bool {
	switch {
	case m.point == "/":
		return m.fsType != "rootfs" // the kernel's own, below the true one
	case m.onBlockDevice():
		return m.fsType != "squashfs" && m.fsType != "erofs"
	case m.fsType == "btrfs":
		// A directory mounted elsewhere shows the subvolume it lies in, a subvolume shows itself.
		return m.root == m.subvolume()
	case m.fsType == "zfs", m.fsType == "bcachefs", m.fsType == "ubifs":
		return true
	default:
		return m.remote() && !desktopFUSE(m.fsType)
	}
}

// remote reports whether the file system's data is served by another machine or by a process.
func (m mount) remote() bool {
	switch m.fsType {
	case "nfs", "nfs4", "cifs", "smb3", "smbfs", "ncpfs", "afs", "ceph", "glusterfs", "lustre", "gfs2", "ocfs2", "9p",
		"virtiofs", "vboxsf", "prl_fs":
		return true
	}
	return strings.HasPrefix(m.fsType, "fuse.")
}

// desktopFUSE names the file systems by which a desktop shows its own parts to itself.
func desktopFUSE(fsType string) bool {
	switch fsType {
	case "fuse.gvfsd-fuse", "fuse.portal", "fuse.lxcfs", "fuse.snapfuse", "fuse.squashfuse", "fuse.squashfuse_ll",
		"fuse.vmware-vmblock", "fuse.jetbrains-toolbox", "fuse.rofiles-fuse":
		return true
	}
	return strings.HasSuffix(fsType, ".AppImage")
}

// identity is the same for two mounts that show one file system.
func (m mount) identity() string {
	switch {
	case m.fsType == "btrfs":
		return m.device + m.subvolume()
	case m.remote(): // a server's shares have device numbers of their own, or have one for all
		return m.device + m.source
	default:
		return m.device
	}
}

// subvolume is the btrfs subvolume that the mount is of, "/" for the top one or where the kernel does not say.
func (m mount) subvolume() string {
	for option := range strings.SplitSeq(m.options, ",") {
		if name, found := strings.CutPrefix(option, "subvol="); found {
			return unescape(name)
		}
	}
	return "/"
}

// tellsMoreThan prefers the root of the machine, then the mount that shows more of the file system, then the
// shorter mount point: what is left are directories mounted a second time.
func (m mount) tellsMoreThan(other mount) bool {
	if (m.point == "/") != (other.point == "/") {
		return m.point == "/"
	}
	return cmp.Or(len(m.root)-len(other.root), len(m.point)-len(other.point), cmp.Compare(m.point, other.point)) < 0
}
