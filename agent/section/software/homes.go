package software

import (
	"context"
	"errors"
	"io/fs"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/musterhq/muster/agent/host"
)

// The range of user IDs that distributions assign to people (login.defs(5)).
const (
	firstUID = 1000
	endUID   = 65534
)

// The limits of one run and of each user. A user with 50 applications of flatpak has about 500
// directories and 5 MiB of descriptions.
var (
	allHomes = host.Limits{Files: 20_000, Bytes: 256 << 20, Time: 20 * time.Second}
	oneHome  = host.Limits{Files: 4000, Bytes: 32 << 20, Time: 5 * time.Second}
)

// maxTable bounds passwd(5) and mountinfo, in bytes.
const maxTable = 4 << 20

// maxHomes bounds the homes that are searched.
const maxHomes = 256

// collectHomes adds what people have installed for themselves: with flatpak, and as AppImages. The
// items do not name the person. What the person could not read, and links out of the home, are no
// software of this person.
func collectHomes(ctx context.Context, h *host.Host, l *list) error {
	homes := listHomes(h)
	if len(homes) == 0 {
		return errAbsent
	}
	start := len(l.items)
	l.user = true
	defer func() { l.user = false }()
	mounts := readMounts(h)
	all := h.Homes(allHomes, oneHome, mounts.remote)
	var broken damage
	for _, directory := range homes {
		if err := ctx.Err(); err != nil {
			return err
		}
		if mounts.remote(directory) { // a dead server would block the agent
			continue
		}
		home, err := all.Open(directory)
		if err != nil {
			broken.home(err)
			continue
		}
		readHome(ctx, home, l, &broken)
		home.Close()
	}
	if len(l.items) == start && broken.count == 0 { // a machine without package managers is unsupported
		return errAbsent
	}
	return broken.err("unreadable homes or directories in them")
}

// home adds an error that means that the agent does not know what is in a home. What the agent does
// not read on behalf of the user is not such an error: otherwise every user could make the section
// partial forever.
func (d *damage) home(err error) {
	if !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, host.ErrRefused) {
		d.add(err)
	}
}

// userAppImages are where people and integration tools put AppImages, in the home.
var userAppImages = []string{"Applications", "AppImages", ".local/bin", "bin"}

func readHome(ctx context.Context, home *host.Home, l *list, broken *damage) {
	f := flatpaks{files: homeFiles{home}, list: l, broken: broken}
	for _, kind := range []string{"app", "runtime"} {
		if err := f.read(ctx, path.Join(home.Dir(), ".local/share/flatpak", kind)); err != nil {
			broken.home(err)
		}
	}
	for _, directory := range userAppImages {
		entries, err := home.ReadDir(path.Join(home.Dir(), directory), maxEntries)
		if err != nil {
			broken.home(err)
		}
		for _, entry := range entries {
			if isAppImageName(entry.Name()) && executable(entry) {
				takeAppImage(l, entry, "")
			}
		}
	}
}

// maxEntries bounds the entries of a directory in a home.
const maxEntries = 1000

// executable reports whether an entry is a program. The first bytes of a large file cannot be read
// on behalf of a user.
func executable(entry fs.DirEntry) bool {
	info, err := entry.Info()
	return err == nil && info.Mode().IsRegular() && info.Mode()&0o100 != 0
}

// homeFiles reads the files of a home.
type homeFiles struct{ home *host.Home }

func (f homeFiles) ReadDir(name string) ([]fs.DirEntry, error) {
	return f.home.ReadDir(name, maxEntries)
}

func (f homeFiles) ReadFile(name string, limit int64) ([]byte, error) {
	return f.home.ReadFile(name, limit)
}

// listHomes returns the homes of people, from lines "login:password:uid:gid:name:home:shell". It
// leaves out accounts of directory services.
func listHomes(h *host.Host) []string {
	text, err := h.ReadFile("/etc/passwd", maxTable)
	if err != nil {
		return nil
	}
	var homes []string
	for line := range strings.Lines(string(text)) {
		f := strings.Split(line, ":")
		if len(f) != 7 {
			continue
		}
		uid, err := strconv.Atoi(f[2])
		home := path.Clean(f[5])
		person := err == nil && uid >= firstUID && uid < endUID
		if person && path.IsAbs(home) && home != "/" && !slices.Contains(homes, home) {
			homes = append(homes, home)
		}
	}
	return homes[:min(len(homes), maxHomes)]
}

// mounts tells which mount points another machine or a program of a user serves.
type mounts map[string]bool

var remoteTypes = []string{
	"nfs", "nfs4", "cifs", "smb3", "afs", "autofs", "ceph", "glusterfs", "lustre", "9p", "virtiofs", "vboxsf", "prl_fs",
}

// readMounts reads lines "36 35 98:0 /root /point rw … - type source options"
// (proc_pid_mountinfo(5)).
func readMounts(h *host.Host) mounts {
	m := mounts{}
	text, err := h.ReadFile("/proc/self/mountinfo", maxTable)
	if err != nil {
		return m
	}
	for line := range strings.Lines(string(text)) {
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

// remote looks at the closest mount point above a name.
func (m mounts) remote(name string) bool {
	for ; name != "." && name != "/"; name = path.Dir(name) {
		if remote, mounted := m[name]; mounted {
			return remote
		}
	}
	return false
}
