package service

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"strings"

	"github.com/musterhq/muster/agent/host"
)

// origin classifies a unit directory by what a link in it means.
type origin int

const (
	vendor     origin = iota // the distribution's: its links are part of the system, not a choice
	persistent               // the administrator's
	runtime                  // until the next boot
)

// unitDirs is systemd's search path, in its order (systemd.unit(5)). Directories of generators come
// after the files they are generated from. generator.late is left out because it contains units for
// SysV scripts.
var unitDirs = []struct {
	name   string
	origin origin
}{
	{"/etc/systemd/system.control", persistent},
	{"/run/systemd/system.control", runtime},
	{"/run/systemd/transient", runtime},
	{"/run/systemd/generator.early", runtime},
	{"/etc/systemd/system", persistent},
	{"/etc/systemd/system.attached", persistent},
	{"/run/systemd/system", runtime},
	{"/run/systemd/system.attached", runtime},
	{"/run/systemd/generator", runtime},
	{"/usr/local/lib/systemd/system", vendor},
	{"/usr/lib/systemd/system", vendor},
	{"/lib/systemd/system", vendor},
}

// unitFile is a unit file, or a link in its place.
type unitFile struct {
	dir    int    // index in unitDirs
	target string // of a link; empty for a file
}

// unitLink is a link that names a unit, or by which another unit wants it.
type unitLink struct {
	name   string
	target string // base name of the target
	dir    int
	wants  bool // the link is in a directory such as multi-user.target.wants
}

// units is the content of the unit directories that concerns services.
type units struct {
	host    *host.Host
	files   map[string]unitFile   // by name; the first in unitDirs
	links   map[string][]unitLink // by name and by target
	dropins map[string][]string   // directories foo.service.d by name, in the order of unitDirs
	order   []string              // names of files and instances, as found
	buf     []byte
	errs    []error // what could not be read
}

// maxUnit bounds a unit file, in bytes; systemd itself refuses more than 1 MiB.
const maxUnit = 1 << 20

func readUnits(ctx context.Context, h *host.Host) *units {
	u := &units{host: h, files: map[string]unitFile{}, links: map[string][]unitLink{}, dropins: map[string][]string{}}
	var seen []fs.FileInfo
	for i, dir := range unitDirs {
		if err := ctx.Err(); err != nil {
			u.errs = append(u.errs, err)
			break
		}
		info, err := h.Stat(dir.name)
		if err != nil || isOneOf(info, seen) { // /lib is usually a link to /usr/lib
			continue
		}
		seen = append(seen, info)
		u.readDir(i)
	}
	return u
}

func isOneOf(info fs.FileInfo, seen []fs.FileInfo) bool {
	for _, other := range seen {
		if os.SameFile(info, other) {
			return true
		}
	}
	return false
}

func (u *units) readDir(dir int) {
	root := unitDirs[dir].name
	entries, err := u.host.ReadDir(root)
	if err != nil {
		u.errs = append(u.errs, fmt.Errorf("list units: %w", err))
		return
	}
	for _, entry := range entries {
		name := entry.Name()
		switch {
		case strings.HasSuffix(name, ".service"):
			u.addFile(dir, entry)
		case strings.HasSuffix(name, ".service.d"):
			u.dropins[name] = append(u.dropins[name], root+"/"+name)
		case strings.HasSuffix(name, ".wants"), strings.HasSuffix(name, ".requires"),
			strings.HasSuffix(name, ".upholds"):
			u.readWants(dir, name)
		}
	}
}

func (u *units) addFile(dir int, entry fs.DirEntry) {
	name, file := entry.Name(), unitFile{dir: dir}
	if entry.Type()&fs.ModeSymlink != 0 {
		target, err := u.host.Readlink(unitDirs[dir].name + "/" + name)
		if err != nil {
			return
		}
		file.target = target
		u.addLink(unitLink{name: name, target: path.Base(target), dir: dir})
	} else if !entry.Type().IsRegular() {
		return
	}
	if _, taken := u.files[name]; !taken {
		u.files[name] = file
		u.order = append(u.order, name)
	}
}

// readWants reads the links by which a unit wants others. Of the distribution's links it uses only
// those that instantiate a template.
func (u *units) readWants(dir int, name string) {
	directory := unitDirs[dir].name + "/" + name
	entries, err := u.host.ReadDir(directory)
	if err != nil {
		if !errors.Is(err, fs.ErrNotExist) {
			u.errs = append(u.errs, fmt.Errorf("list units: %w", err))
		}
		return
	}
	for _, entry := range entries {
		name := entry.Name()
		if entry.Type()&fs.ModeSymlink == 0 || !strings.HasSuffix(name, ".service") ||
			unitDirs[dir].origin == vendor && instanceOf(name) == "" {
			continue
		}
		target, err := u.host.Readlink(directory + "/" + name)
		if err != nil {
			continue
		}
		u.addLink(unitLink{name: name, target: path.Base(target), dir: dir, wants: true})
		if instanceOf(name) != "" {
			u.order = append(u.order, name)
		}
	}
}

func (u *units) addLink(l unitLink) {
	u.links[l.name] = append(u.links[l.name], l)
	if l.target != l.name {
		u.links[l.target] = append(u.links[l.target], l)
	}
}

// instanceOf returns the template of an instance ("getty@.service" for "getty@tty1.service"), or
// "".
func instanceOf(name string) string {
	prefix, rest, found := strings.Cut(name, "@")
	if !found || strings.HasPrefix(rest, ".") {
		return ""
	}
	return prefix + "@" + path.Ext(rest)
}

func isTemplate(name string) bool { return strings.HasSuffix(name, "@.service") }
