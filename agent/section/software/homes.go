package software

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"time"

	"github.com/musterhq/muster/agent/host"
	"github.com/musterhq/muster/agent/section/homes"
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
// items do not name the person. It leaves out what the person could not read, and links out of the
// home.
func collectHomes(ctx context.Context, h *host.Host, l *list) error {
	directories := homes.OfPeople(tableOf(h, "/etc/passwd"), false)
	if len(directories) == 0 {
		return errAbsent
	}
	start := len(l.items)
	l.user = true
	defer func() { l.user = false }()
	mounts := homes.ParseMounts(tableOf(h, "/proc/self/mountinfo"))
	all := h.Homes(allHomes, oneHome, mounts.Remote)
	var broken damage
	if len(directories) > maxHomes {
		broken.home(fmt.Errorf("more than %d homes: the others are not searched", maxHomes))
		directories = directories[:maxHomes]
	}
	for _, directory := range directories {
		if err := ctx.Err(); err != nil {
			return err
		}
		if mounts.Remote(directory) { // a dead server would block the agent
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

// tableOf reads a table of the system. A machine without it has no homes or mounts.
func tableOf(h *host.Host, name string) string {
	text, err := h.ReadFile(name, maxTable)
	if err != nil {
		return ""
	}
	return string(text)
}
