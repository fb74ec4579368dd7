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

// account is the user that the server runs as when we are root, because PostgreSQL refuses to run as root. A nil
// account is our own user.
type account struct {
	uid, gid int
}

// candidates are the users to run as, best first. A user of PostgreSQL's own shares its files with nobody.
var candidates = []string{"postgres", "nobody"}

// accountFor gives the user for a data directory: whoever owns it, else the first of the candidates.
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
	return nil, fmt.Errorf("PostgreSQL does not run as root, and there is no user to run it as (looked for %q)", candidates)
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

// makeDir makes an empty directory that only the account may enter. What stood there before is removed.
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

// runtimeDirs are the places for files of the running system, best first. Root's is not open to all, so that
// nobody can take the name before us.
func (a *account) runtimeDirs() []string {
	first := os.Getenv("XDG_RUNTIME_DIR")
	if a != nil {
		first = "/run"
	}
	dirs := []string{first, os.TempDir(), "/tmp"}
	return slices.DeleteFunc(dirs, func(dir string) bool { return !filepath.IsAbs(dir) })
}
