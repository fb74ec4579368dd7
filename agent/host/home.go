package host

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"
	"time"
)

// ErrRefused reports a file of a user that the agent does not read, because the user could not read
// it, because it is not the user's, or because the limits are used up. The agent may read every
// file, so a link or a name that a user writes must not lead it to files of others.
var ErrRefused = errors.New("not read on behalf of the user")

// Limits bound what is read of users' files. No user can make the agent read without end.
type Limits struct {
	Files int // including directories
	Bytes int64
	Time  time.Duration
}

// budget is what is left of Limits.
type budget struct {
	files int
	bytes int64
	until time.Time
}

func (l Limits) start() *budget { return &budget{l.Files, l.Bytes, time.Now().Add(l.Time)} }

func (b *budget) left() error {
	switch {
	case b.files <= 0:
		return fmt.Errorf("%w: too many files", ErrRefused)
	case b.bytes <= 0:
		return fmt.Errorf("%w: too many bytes", ErrRefused)
	case !time.Now().Before(b.until):
		return fmt.Errorf("%w: it takes too long", ErrRefused)
	}
	return nil
}

// Homes reads the files of users. It is made for one run of one section.
type Homes struct {
	host    *Host
	source  *Homes // what is recorded; nil unless the host is recorded
	section *budget
	user    Limits
	avoid   func(name string) bool
}

// Homes returns the users' files with the limits of one run of a section and of each user. avoid
// reports directories that must not even be looked up, such as those that a network serves; it may
// be nil.
func (h *Host) Homes(section, user Limits, avoid func(name string) bool) *Homes {
	if avoid == nil {
		avoid = func(string) bool { return false }
	}
	homes := &Homes{host: h, section: section.start(), user: user, avoid: avoid}
	if h.tape != nil && h.tape.source != nil {
		homes.source = h.tape.source.Homes(section, user, avoid)
	}
	return homes
}

// Home is the home directory of a user, or another directory that belongs to one. Names are
// absolute, with slashes. On every path, each directory must be open to the owner and the file must
// belong to the owner and be readable for the owner. In the home, links are followed as long as
// they stay in it. On systems whose files have no such owner, files outside of the home are
// refused.
type Home struct {
	homes   *Homes
	dir     string
	root    *os.Root
	owner   uint32
	owned   bool // files have owners on this system
	budgets []*budget
	source  *Home // what is recorded; nil unless the host is recorded
}

// Open opens the home of a user. The caller closes it.
func (u *Homes) Open(dir string) (*Home, error) {
	if u.host.tape != nil {
		return u.openRecorded(dir)
	}
	if err := u.section.left(); err != nil {
		return nil, err
	}
	full, err := u.host.Path(dir)
	if err != nil {
		return nil, err
	}
	root, err := os.OpenRoot(full)
	if err != nil {
		return nil, err
	}
	info, err := root.Stat(".")
	if err != nil {
		_ = root.Close()
		return nil, err
	}
	home := &Home{homes: u, dir: path.Clean(dir), root: root, budgets: []*budget{u.section, u.user.start()}}
	home.owner, home.owned = ownerOf(info)
	return home, nil
}

// openRecorded opens a home whose files are recorded, or are read from a recording.
func (u *Homes) openRecorded(dir string) (*Home, error) {
	home := &Home{homes: u, dir: path.Clean(dir)}
	var failed error
	if u.source != nil {
		home.source, failed = u.source.Open(dir)
	}
	_, err := ask(u.host, "home", home.dir, func() (bool, error) { return failed == nil, failed })
	if err = cmp.Or(err, failed); err != nil {
		home.Close()
		return nil, err
	}
	return home, nil
}

// Close closes the home.
func (u *Home) Close() {
	if u.source != nil {
		u.source.Close()
	}
	if u.root != nil {
		_ = u.root.Close()
	}
}

// Dir returns the name of the directory.
func (u *Home) Dir() string { return u.dir }

// ReadFile reads a file of at most limit bytes; a longer one is an error.
func (u *Home) ReadFile(name string, limit int64) ([]byte, error) {
	if u.homes.host.tape != nil {
		return ask(u.homes.host, "file of home", u.dir+":"+name, func() ([]byte, error) {
			data, err := u.source.ReadFile(name, limit)
			return scrub(data), err
		})
	}
	f, err := u.open(name, false)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	for _, b := range u.budgets {
		limit = min(limit, b.bytes)
	}
	data, err := io.ReadAll(io.LimitReader(f, limit+1))
	for _, b := range u.budgets {
		b.bytes -= int64(len(data))
	}
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", name, err)
	}
	if int64(len(data)) > limit {
		return nil, fmt.Errorf("read %s: more than %d bytes", name, limit)
	}
	return data, nil
}

// ReadDir lists a directory, sorted by name. For one with more than limit entries it returns limit
// of them and an error.
func (u *Home) ReadDir(name string, limit int) ([]fs.DirEntry, error) {
	if tape := u.homes.host.tape; tape != nil {
		records, err := ask(u.homes.host, "directory of home", u.dir+":"+name, func() ([]entryRecord, error) {
			entries, err := u.source.ReadDir(name, limit)
			return entryRecords(entries), err
		})
		return tape.entries(name, records), err
	}
	f, err := u.open(name, true)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	entries, err := f.ReadDir(limit + 1)
	if errors.Is(err, io.EOF) {
		err = nil
	}
	if len(entries) > limit {
		entries, err = entries[:limit], fmt.Errorf("read %s: more than %d entries", name, limit)
	}
	slices.SortFunc(entries, func(a, b fs.DirEntry) int { return strings.Compare(a.Name(), b.Name()) })
	return entries, err
}

// open opens a file or a directory and checks what it has opened: the names may have changed since
// they were looked up.
func (u *Home) open(name string, directory bool) (*os.File, error) {
	for _, b := range u.budgets {
		if err := b.left(); err != nil {
			return nil, fmt.Errorf("read %s: %w", name, err)
		}
	}
	root, relative, err := u.find(name)
	if err != nil {
		return nil, err
	}
	if root != u.root {
		defer func() { _ = root.Close() }()
	}
	before, err := root.Lstat(relative)
	if err != nil {
		return nil, err
	}
	if err := u.may(before, name, directory); err != nil {
		return nil, err
	}
	f, err := root.OpenFile(relative, readNow, 0)
	if err != nil {
		return nil, err
	}
	after, err := f.Stat()
	if err == nil {
		err = u.may(after, name, directory)
	}
	if err != nil {
		_ = f.Close()
		return nil, err
	}
	for _, b := range u.budgets {
		b.files--
	}
	return f, nil
}

// may checks the file at the end of a path.
func (u *Home) may(info fs.FileInfo, name string, directory bool) error {
	switch {
	case directory && !info.IsDir(), !directory && !info.Mode().IsRegular():
		return fmt.Errorf("read %s: not a regular file or a directory", name)
	case !u.owned:
		return nil
	case !u.owns(info):
		return fmt.Errorf("read %s: %w: it belongs to another user", name, ErrRefused)
	case info.Mode()&0o400 == 0:
		return fmt.Errorf("read %s: %w: it is closed to its owner", name, ErrRefused)
	}
	return nil
}

func (u *Home) owns(info fs.FileInfo) bool {
	uid, known := ownerOf(info)
	return known && uid == u.owner
}

// find returns the root directory below which a file is and its name there, without links. The
// caller closes a root other than that of the home.
func (u *Home) find(name string) (*os.Root, string, error) {
	name = path.Clean("/" + name)
	if relative, inside := u.inside(name); inside {
		resolved, err := u.resolve(u.root, relative, name, true)
		return u.root, resolved, err
	}
	if !u.owned {
		return nil, "", fmt.Errorf("read %s: %w: it is not in the home", name, ErrRefused)
	}
	root, err := os.OpenRoot(u.homes.host.root)
	if err != nil {
		return nil, "", err
	}
	resolved, err := u.resolve(root, name[1:], name, false)
	if err != nil {
		_ = root.Close()
		return nil, "", err
	}
	return root, resolved, nil
}

// inside returns the part of a name below the home. On Windows the name may begin with the drive of
// the system.
func (u *Home) inside(name string) (relative string, inside bool) {
	if drive := systemDrive(); drive != "" {
		if rest := name[1:]; len(rest) > len(drive) && strings.EqualFold(rest[:len(drive)], drive) {
			name = rest[len(drive):]
		}
	}
	if name == u.dir {
		return ".", true
	}
	return strings.CutPrefix(name, strings.TrimSuffix(u.dir, "/")+"/")
}

// resolve follows a name below a root directory, element by element. Links are followed only in the
// home and only within it.
func (u *Home) resolve(root *os.Root, name, whole string, home bool) (string, error) {
	outside := fmt.Errorf("read %s: %w: a link leads out of the home", whole, ErrRefused)
	resolved, links := ".", 0
	for rest := strings.Split(path.Clean(name), "/"); len(rest) > 0; {
		step := rest[0]
		rest = rest[1:]
		switch {
		case step == ".":
			continue
		case step == ".." && resolved == ".":
			return "", outside
		}
		next := path.Join(resolved, step)
		if u.homes.avoid(u.absolute(next, home)) {
			return "", fmt.Errorf("read %s: %w: it is on a network", whole, ErrRefused)
		}
		info, err := root.Lstat(next)
		if err != nil {
			return "", err
		}
		if info.Mode()&fs.ModeSymlink == 0 {
			if len(rest) > 0 && !u.passes(info) {
				return "", fmt.Errorf("read %s: %w: a directory is closed to the user", whole, ErrRefused)
			}
			resolved = next
			continue
		}
		if links++; !home || links > maxLinks {
			return "", outside
		}
		target, err := root.Readlink(next)
		if err != nil {
			return "", err
		}
		target = strings.ReplaceAll(target, `\`, "/")
		if path.IsAbs(target) {
			relative, inside := u.inside(path.Clean(target))
			if !inside {
				return "", outside
			}
			resolved, target = ".", relative
		}
		rest = append(strings.Split(path.Clean(target), "/"), rest...)
	}
	return resolved, nil
}

// passes reports whether the owner of the home can look up names in a directory. The owner's groups
// are not known, so a directory that is open to a group only is closed.
func (u *Home) passes(info fs.FileInfo) bool {
	switch {
	case !info.IsDir():
		return true // the next step reports the error
	case !u.owned:
		return true
	case u.owns(info):
		return info.Mode()&0o100 != 0
	default:
		return info.Mode()&0o001 != 0
	}
}

func (u *Home) absolute(relative string, home bool) string {
	if home {
		return path.Join(u.dir, relative)
	}
	return path.Join("/", relative)
}
