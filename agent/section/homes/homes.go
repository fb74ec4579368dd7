// Package homes finds the home directories of people in the tables of a system, and tells which of
// them are on this machine. It reads nothing itself: see host.Homes for that. Start reading at
// OfPeople.
package homes

import (
	"path"
	"slices"
	"strconv"
	"strings"
)

// The range of user IDs that distributions assign to people; 65534 is nobody (login.defs(5),
// systemd's "Users, Groups, UIDs and GIDs").
const (
	firstUID = 1000
	endUID   = 65534
)

// IsPerson reports whether a user ID is one of a person.
func IsPerson(uid uint64) bool { return uid >= firstUID && uid < endUID }

// OfPeople returns the homes of people, and of root if root is set, once each. The table has lines
// "login:password:uid:gid:name:home:shell" (passwd(5)). It lacks accounts of directory services.
func OfPeople(table string, root bool) []string {
	var homes []string
	for line := range strings.Lines(table) {
		f := strings.Split(line, ":")
		if len(f) != 7 {
			continue
		}
		uid, err := strconv.ParseUint(f[2], 10, 32)
		home := path.Clean(f[5])
		person := err == nil && (IsPerson(uid) || root && uid == 0)
		if person && path.IsAbs(home) && home != "/" && !slices.Contains(homes, home) {
			homes = append(homes, home)
		}
	}
	return homes
}

// Mounts has, by mount point, whether another machine or a program of a user serves the file
// system. A dead server would block whoever reads there.
type Mounts map[string]bool

// remoteTypes are the file systems that other machines serve, and those that mount such file
// systems on access.
var remoteTypes = []string{
	"nfs", "nfs4", "cifs", "smb3", "afs", "autofs", "ceph", "glusterfs", "lustre", "gfs2", "ocfs2", "9p", "virtiofs",
	"vboxsf", "prl_fs",
}

// ParseMounts reads lines "36 35 98:0 /root /point rw … - type source options"
// (proc_pid_mountinfo(5)).
func ParseMounts(table string) Mounts {
	m := Mounts{}
	for line := range strings.Lines(table) {
		before, after, _ := strings.Cut(line, " - ")
		f := strings.Fields(before)
		fsType, _, _ := strings.Cut(after, " ")
		if len(f) > 4 {
			remote := slices.Contains(remoteTypes, fsType) || strings.HasPrefix(fsType, "fuse.")
			m[strings.ReplaceAll(f[4], `\040`, " ")] = remote
		}
	}
	return m
}

// Remote reports whether a file is not on this machine: by its closest mount point, or because its
// name begins with two slashes.
func (m Mounts) Remote(name string) bool {
	if strings.HasPrefix(name, "//") {
		return true
	}
	for ; name != "." && name != "/"; name = path.Dir(name) {
		if remote, mounted := m[name]; mounted {
			return remote
		}
	}
	return false
}
