package postgres

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// The major versions that Muster is tested with.
const (
	oldestMajor = 15
	newestMajor = 18
)

// ErrNotInstalled reports that the machine has no PostgreSQL server that Muster can use.
var ErrNotInstalled = errors.New("no PostgreSQL server")

// server is an installation of PostgreSQL's server programs, and the user that runs them.
type server struct {
	bin     string // the directory of the programs
	version string // as the server reports it, e.g. "15.13 (Debian 15.13-0+deb12u1)"
	major   int
	account *account
}

// programDirs are the directories in which distributions install the server's programs, which are
// rarely in the PATH.
var programDirs = []string{
	"/usr/lib/postgresql/*/bin",                               // Debian, Ubuntu
	"/usr/pgsql-*/bin",                                        // Fedora, RHEL from postgresql.org
	"/usr/lib/postgresql*/bin",                                // SUSE
	"/usr/libexec/postgresql*",                                // Alpine
	"/opt/homebrew/opt/postgresql@*/bin",                      // Homebrew
	"/usr/local/opt/postgresql@*/bin",                         // Homebrew on Intel
	"/Library/PostgreSQL/*/bin",                               // the installer from postgresql.org
	"/Applications/Postgres.app/Contents/Versions/[1-9]*/bin", // Postgres.app
}

// findServer returns the server of the given major version, or of the highest supported one if
// major is 0.
func findServer(ctx context.Context, major int) (*server, error) {
	var found []*server
	for _, bin := range directories() {
		if s, err := inspect(ctx, bin); err == nil {
			found = append(found, s)
		}
	}
	if err := ctx.Err(); err != nil { // an interrupted search proves nothing
		return nil, fmt.Errorf("look for a server: %w", err)
	}
	return pick(found, major)
}

func directories() []string {
	var dirs []string
	for _, pattern := range programDirs {
		matches, _ := filepath.Glob(pattern) // the patterns are well-formed
		dirs = append(dirs, matches...)
	}
	return append(dirs, filepath.SplitList(os.Getenv("PATH"))...)
}

var versionPattern = regexp.MustCompile(`^postgres \(PostgreSQL\) ((\d+)\S*.*)`)

// inspect runs the server program in bin to read its version.
func inspect(ctx context.Context, bin string) (*server, error) {
	for _, program := range []string{"initdb", "postgres"} {
		if _, err := os.Stat(filepath.Join(bin, program)); err != nil {
			return nil, err
		}
	}
	//nolint:gosec // a program at the places of the list or on the PATH, as in a shell
	out, err := exec.CommandContext(ctx, filepath.Join(bin, "postgres"), "--version").Output()
	if err != nil {
		return nil, err
	}
	match := versionPattern.FindStringSubmatch(strings.TrimSpace(string(out)))
	if match == nil {
		return nil, fmt.Errorf("unknown version format: %q", out)
	}
	major, err := strconv.Atoi(match[2])
	if err != nil {
		return nil, err
	}
	return &server{bin: bin, version: match[1], major: major}, nil
}

// pick chooses among the servers found. Of two with the same version it takes the first:
// programDirs precede the PATH.
func pick(found []*server, major int) (*server, error) {
	slices.SortStableFunc(found, func(a, b *server) int { return b.major - a.major })
	for _, s := range found {
		if s.major == major || major == 0 && s.major >= oldestMajor && s.major <= newestMajor {
			return s, nil
		}
	}
	if major != 0 {
		return nil, fmt.Errorf("PostgreSQL %d created the data directory, but the installed version is %s; "+
			"install PostgreSQL %d (Debian, Ubuntu: apt-get install postgresql-%d), "+
			"or move the data with its pg_upgrade or pg_dump",
			major, versions(found), major, major)
	}
	return nil, fmt.Errorf("%w of version %d to %d found (installed: %s); install one "+
		"(Debian, Ubuntu: apt-get install postgresql; Fedora: dnf install postgresql-server; "+
		"macOS: brew install postgresql@17) "+
		"or set the URL of a database that you run yourself",
		ErrNotInstalled, oldestMajor, newestMajor, versions(found))
}

func versions(found []*server) string {
	if len(found) == 0 {
		return "none"
	}
	var list []string
	for _, s := range found {
		list = append(list, s.version)
	}
	return strings.Join(slices.Compact(list), ", ")
}

// dataMajor returns the major version that created the data directory, or 0 if there is none.
func dataMajor(data string) (int, error) {
	text, err := os.ReadFile(filepath.Join(data, "PG_VERSION")) //nolint:gosec // a file of our own directory
	if errors.Is(err, fs.ErrNotExist) {
		return 0, nil
	}
	if err != nil {
		return 0, fmt.Errorf("read the version of the data directory: %w", err)
	}
	major, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil {
		return 0, fmt.Errorf("read the version of the data directory: %w", err)
	}
	return major, nil
}
