package virtualmachine

import (
	"fmt"
	"io/fs"
	"slices"
	"time"

	"github.com/musterhq/muster/agent/host"
	"github.com/musterhq/muster/agent/section/homes"
)

// homeDirectories are searched in addition to the homes in passwd(5), which lacks accounts of
// directory services and, on macOS and Windows, all accounts.
var homeDirectories = []string{"/home", "/Users"}

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
	s.mounts = homes.ParseMounts(s.table("/proc/self/mountinfo"))
	all := s.host.Homes(allHomes, oneHome, s.mounts.Remote)
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
	candidates := homes.OfPeople(s.table("/etc/passwd"), true) // root may also have machines
	for _, directory := range homeDirectories {
		if s.mounts.Remote(directory) {
			continue
		}
		for _, entry := range s.list(s.system(), directory) {
			candidates = append(candidates, directory+"/"+entry.Name())
		}
	}
	var known []fs.FileInfo
	var found []string
	for _, home := range candidates {
		if s.mounts.Remote(home) {
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
		found = append(found, home)
	}
	return found
}

// seen reports whether a directory is already known by another name.
func seen(known []fs.FileInfo, info fs.FileInfo) bool {
	for _, other := range known {
		if host.SameFile(other, info) {
			return true
		}
	}
	return false
}
