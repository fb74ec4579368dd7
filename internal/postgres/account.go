package postgres

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
)

// account is the user that runs the server if this process is root, because PostgreSQL refuses to
// run as root. A nil account is the current user.
type account struct {
	uid, gid int
}

// candidates are the users to run as, best first. A dedicated PostgreSQL user shares its files with
// nobody.
var candidates = []string{"postgres", "nobody"}

// accountFor returns the user for a data directory: its owner, or the first existing candidate if
// there is no directory.
func accountFor(data string) (*account, error) {
	if os.Geteuid() != 0 {
		return nil, nil //nolint:nilnil // a nil account is our own user
	}
	info, err := os.Stat(data)
	switch {
	case err == nil:
		return ownerOf(info), nil
	case !errors.Is(err, fs.ErrNotExist):
		return nil, err
	}
	for _, name := range candidates {
		if u, err := user.Lookup(name); err == nil {
			return parseAccount(u)
		}
	}
	return nil, fmt.Errorf("PostgreSQL cannot run as root, and none of the users %q exists; create one of them",
		candidates)
}

func parseAccount(u *user.User) (*account, error) {
	uid, err := strconv.Atoi(u.Uid)
	if err != nil {
		return nil, err
	}
	gid, err := strconv.Atoi(u.Gid)
	if err != nil {
		return nil, err
	}
	return &account{uid: uid, gid: gid}, nil
}

// makeDir makes an empty directory that only the account may enter. It first removes an existing
// one.
func (a *account) makeDir(dir string) error {
	if err := os.RemoveAll(dir); err != nil {
		return err
	}
	if err := os.Mkdir(dir, 0o700); err != nil {
		return err
	}
	if a == nil {
		return nil
	}
	return os.Chown(dir, a.uid, a.gid)
}

// runtimeDirs returns the parents for the socket directory, best first. For root the first is /run,
// which is not writable for others, so that nobody else can create the directory first.
func (a *account) runtimeDirs() []string {
	first := os.Getenv("XDG_RUNTIME_DIR")
	if a != nil {
		first = "/run"
	}
	dirs := []string{first, os.TempDir(), "/tmp"}
	return slices.DeleteFunc(dirs, func(dir string) bool { return !filepath.IsAbs(dir) })
}
