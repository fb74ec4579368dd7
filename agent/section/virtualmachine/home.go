package virtualmachine

import (
	"fmt"
	"io/fs"
	"os"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/musterhq/muster/agent/host"
)

// homeDirectories are searched in addition to the homes in passwd(5), which lacks accounts of
// directory services and, on macOS and Windows, all accounts.
var homeDirectories = []string{"/home", "/Users"}

// The range of user IDs that distributions assign to people (login.defs(5)). Root may also have
// machines.
const (
	firstUID = 1000
	endUID   = 65534
)

// maxHomes bounds the homes that are searched.
const maxHomes = 1024

// The limits of one run and of each user.
var (
	allHomes = host.Limits{Files: 10_000, Bytes: 128 << 20, Time: 20 * time.Second}
	oneHome  = host.Limits{Files: 2000, Bytes: 16 << 20, Time: 5 * time.Second}
)

// listHomes opens the homes on this machine. It leaves out homes on a network, because machines
// defined there do not belong to this host and a dead server would block the agent.
func (s *survey) listHomes() {
	s.readMounts()
	all := s.host.Homes(allHomes, oneHome, s.remote)
	for _, home := range s.findHomes() {
		if opened := s.open(all, home); opened != nil {
			s.homes = append(s.homes, opened)
		}
	}
	for _, session := range s.list(s.system(), sessions) {
		if opened := s.open(all, sessions+"/"+session.Name()); opened != nil {
			s.sessions = append(s.sessions, opened)
		}
	}
}

// open opens a user's directory. It returns nil if there is none or it cannot be opened.
func (s *survey) open(all *host.Homes, directory string) *host.Home {
	home, err := all.Open(directory)
	if err != nil {
		if !absent(err) {
			s.fail(err)
		}
		return nil
	}
	return home
}

// close closes the users' directories.
func (s *survey) close() {
	for _, home := range slices.Concat(s.homes, s.sessions) {
		home.Close()
	}
}

// findHomes returns the homes, each by one name.
func (s *survey) findHomes() []string {
	candidates := s.accounts()
	for _, directory := range homeDirectories {
		if s.remote(directory) {
			continue
		}
		for _, entry := range s.list(s.system(), directory) {
			candidates = append(candidates, directory+"/"+entry.Name())
		}
	}
	var known []fs.FileInfo
	var homes []string
	for _, home := range candidates {
		if s.remote(home) {
			continue
		}
		info, err := s.host.Stat(home)
		if err != nil || !info.IsDir() || seen(known, info) {
			continue
		}
		if len(known) == maxHomes {
			s.fail(fmt.Errorf("more than %d homes: the others are not searched", maxHomes))
			break
		}
		known = append(known, info)
		homes = append(homes, home)
	}
	return homes
}

// seen reports whether a directory is already known by another name.
func seen(known []fs.FileInfo, info fs.FileInfo) bool {
	for _, other := range known {
		if os.SameFile(other, info) {
			return true
		}
	}
	return false
}

// accounts returns the homes of people, from lines "login:password:uid:gid:name:home:shell".
func (s *survey) accounts() []string {
	var homes []string
	for line := range strings.Lines(s.table("/etc/passwd")) {
		f := strings.Split(line, ":")
		if len(f) != 7 {
			continue
		}
		uid, err := strconv.Atoi(f[2])
		if err == nil && (uid == 0 || uid >= firstUID && uid < endUID) && path.IsAbs(f[5]) && path.Clean(f[5]) != "/" {
			homes = append(homes, path.Clean(f[5]))
		}
	}
	return homes
}

// remoteTypes are the file systems that another machine serves, and those that mount such file
// systems on access.
var remoteTypes = map[string]bool{
	"nfs": true, "nfs4": true, "cifs": true, "smb3": true, "afs": true, "autofs": true, "ceph": true, "glusterfs": true,
	"lustre": true,
	"gfs2":   true, "ocfs2": true, "9p": true, "virtiofs": true, "vboxsf": true, "prl_fs": true,
}

// readMounts reads lines "36 35 98:0 /root /point rw … - type source options"
// (proc_pid_mountinfo(5)).
func (s *survey) readMounts() {
	s.mounts = map[string]bool{}
	for line := range strings.Lines(s.table("/proc/self/mountinfo")) {
		before, after, _ := strings.Cut(line, " - ")
		f := strings.Fields(before)
		fsType, _, _ := strings.Cut(after, " ")
		if len(f) > 4 {
			s.mounts[strings.ReplaceAll(f[4], `\040`, " ")] = remoteTypes[fsType] || strings.HasPrefix(fsType, "fuse.")
		}
	}
}

// remote reports whether a file is on another machine: by its closest mount point, or because its
// name begins with two slashes.
func (s *survey) remote(name string) bool {
	if strings.HasPrefix(name, "//") {
		return true
	}
	for ; name != "." && name != "/"; name = path.Dir(name) {
		if remote, mounted := s.mounts[name]; mounted {
			return remote
		}
	}
	return false
}
