package host_test

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/musterhq/muster/agent/host"
	"github.com/musterhq/muster/agent/section/hosttest"
)

var enough = host.Limits{Files: 100, Bytes: 1 << 20, Time: time.Minute}

// TestHome reads names that a user could have prepared so that an agent that may read everything
// reads the files of others.
func TestHome(t *testing.T) {
	t.Parallel()
	h := hosttest.Tree(t, map[string]string{
		"/home/ada/.config/app/a": "mine",
		"/home/ada/linked":        "-> .config/app/a",
		"/home/ada/far":           "-> /home/ada/.config/app/a",
		"/home/ada/dir":           "-> .config",
		"/home/ada/up":            "-> .config/../.config/app/a",
		"/home/ada/shadow":        "-> /etc/shadow",
		"/home/ada/relative":      "-> ../../etc/shadow",
		"/home/ada/etc":           "-> /etc",
		"/home/ada/other":         "-> ../bob/secret",
		"/home/ada/loop":          "-> loop",
		"/home/ada/closed/file":   "mine",
		"/home/ada/unreadable":    "mine",
		"/home/ada/net/file":      "on a server",
		"/home/ada/long":          strings.Repeat("x", 200),
		"/srv/ada":                "mine, elsewhere",
		"/srv/link":               "-> ada",
		"/etc/shadow":             "secret",
		"/home/bob/secret":        "secret",
		"/home/ada/more/1":        "", "/home/ada/more/2": "", "/home/ada/more/3": "",
	})
	change := func(name string, mode fs.FileMode) {
		full, err := h.Path(name)
		if err == nil {
			err = os.Chmod(full, mode)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	change("/home/ada/closed", 0o600)
	change("/home/ada/unreadable", 0)
	t.Cleanup(func() { change("/home/ada/closed", 0o700) }) // so that the tree can be removed
	homes := h.Homes(enough, enough, func(name string) bool { return name == "/home/ada/net" })
	home, err := homes.Open("/home/ada")
	if err != nil {
		t.Fatal(err)
	}
	defer home.Close()
	for name, want := range map[string]string{
		".config/app/a": "mine", "linked": "mine", "far": "mine", "dir/app/a": "mine", "up": "mine", "../../srv/ada": "mine, elsewhere",
		"shadow": "", "relative": "", "etc/shadow": "", "other": "", "closed/file": "", "unreadable": "", "net/file": "", "loop": "",
		"../../srv/link": "",
	} {
		got, err := home.ReadFile("/home/ada/"+name, 100)
		if string(got) != want || (err == nil) != (want != "") {
			t.Errorf("%s: %q, error %v; want %q", name, got, err, want)
		}
		if want == "" && !errors.Is(err, host.ErrRefused) && !errors.Is(err, fs.ErrPermission) {
			t.Errorf("%s: error %v, want ErrRefused", name, err)
		}
	}
	for _, name := range []string{"none", "none/at/all", ".config/app/a/b"} {
		if _, err := home.ReadFile("/home/ada/"+name, 100); err == nil || errors.Is(err, host.ErrRefused) {
			t.Errorf("%s: error %v", name, err)
		}
	}
	if _, err := home.ReadFile("/home/ada/long", 100); err == nil || !strings.Contains(err.Error(), "more than 100 bytes") {
		t.Errorf("a long file: %v", err)
	}
	if entries, err := home.ReadDir("/home/ada/more", 2); len(entries) != 2 || err == nil {
		t.Errorf("a long directory: %v, error %v", entries, err)
	}
	if _, err := home.ReadDir("/home/ada/etc", 9); !errors.Is(err, host.ErrRefused) {
		t.Errorf("a directory of others: %v", err)
	}
}

// TestHomeOfAnotherUser: files in the home that belong to others, such as hard links to them, are
// not read.
func TestHomeOfAnotherUser(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" || os.Geteuid() != 0 {
		t.Skip("only root can give files to others")
	}
	h := hosttest.Tree(t, map[string]string{
		"/home/ada/own": "mine", "/home/ada/foreign": "secret", "/home/ada/theirs/own": "mine", "/srv/open/own": "mine", "/srv/closed/own": "mine",
	})
	chown := func(mode fs.FileMode, uid int, names ...string) {
		for _, name := range names {
			full, err := h.Path(name)
			if err == nil {
				err = errors.Join(os.Chown(full, uid, uid), os.Chmod(full, mode))
			}
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	chown(0o700, 4242, "/home/ada", "/home/ada/own", "/home/ada/theirs/own", "/srv/open/own", "/srv/closed/own")
	chown(0o755, 0, "/", "/srv", "/srv/open")
	home, err := h.Homes(enough, enough, nil).Open("/home/ada")
	if err != nil {
		t.Fatal(err)
	}
	defer home.Close()
	for name, want := range map[string]string{
		"/home/ada/own": "mine", "/home/ada/foreign": "", "/home/ada/theirs/own": "", "/srv/open/own": "mine", "/srv/closed/own": "",
	} {
		got, err := home.ReadFile(name, 100)
		if string(got) != want || want == "" && !errors.Is(err, host.ErrRefused) {
			t.Errorf("%s: %q, error %v; want %q", name, got, err, want)
		}
	}
}

func TestHomeLimits(t *testing.T) {
	t.Parallel()
	files := map[string]string{}
	for user := range 3 {
		for n := range 5 {
			files[fmt.Sprintf("/home/%d/%d", user, n)] = "0123456789"
		}
	}
	h := hosttest.Tree(t, files)
	for name, c := range map[string]struct {
		section, user host.Limits
		want          int // files that are read
	}{
		"files of a user":    {enough, host.Limits{Files: 2, Bytes: 1 << 20, Time: time.Minute}, 6},
		"bytes of a user":    {enough, host.Limits{Files: 99, Bytes: 25, Time: time.Minute}, 6},
		"time of a user":     {enough, host.Limits{Files: 99, Bytes: 1 << 20}, 0},
		"files of a section": {host.Limits{Files: 7, Bytes: 1 << 20, Time: time.Minute}, enough, 7},
		"bytes of a section": {host.Limits{Files: 99, Bytes: 55, Time: time.Minute}, enough, 5},
		"enough":             {enough, enough, 15},
	} {
		homes, read := h.Homes(c.section, c.user, nil), 0
		for user := range 3 {
			home, err := homes.Open(fmt.Sprintf("/home/%d", user))
			if err != nil {
				continue
			}
			for n := range 5 {
				if _, err := home.ReadFile(fmt.Sprintf("/home/%d/%d", user, n), 100); err == nil {
					read++
				}
			}
			home.Close()
		}
		if read != c.want {
			t.Errorf("%s: %d files read, want %d", name, read, c.want)
		}
	}
}

// TestProgram: a program is believed only if the system's own files say what it is.
func TestProgram(t *testing.T) {
	t.Parallel()
	h := hosttest.Tree(t, map[string]string{
		"/usr/bin/qemu": "", "/tmp/qemu": "", "/opt/writable": "", "/usr/bin/other": "",
		"/proc/1/exe": "-> /usr/bin/qemu", "/proc/2/exe": "-> /tmp/qemu", "/proc/3/exe": "-> /opt/writable",
		"/proc/4/exe": "-> /usr/bin/qemu (deleted)", "/proc/5/exe": "-> /gone (deleted)", "/proc/6/comm": "qemu",
	})
	for name, mode := range map[string]fs.FileMode{"/tmp": 0o777, "/opt/writable": 0o722} {
		full, err := h.Path(name)
		if err == nil {
			err = os.Chmod(full, mode)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	for pid, want := range map[string]string{"1": "/usr/bin/qemu", "2": "", "3": "", "4": "/usr/bin/qemu", "5": "", "6": ""} {
		if got, err := h.Program(pid); got != want || (err == nil) != (want != "") {
			t.Errorf("process %s: %q, error %v; want %q", pid, got, err, want)
		}
	}
}

// TestProgramOfAUser: the file of a user is not believed wherever it is.
func TestProgramOfAUser(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" || os.Geteuid() != 0 {
		t.Skip("only root can give files to others")
	}
	h := hosttest.Tree(t, map[string]string{"/usr/bin/qemu": "", "/proc/1/exe": "-> /usr/bin/qemu"})
	full, err := h.Path("/usr/bin/qemu")
	if err == nil {
		err = os.Chown(filepath.Clean(full), 4242, 4242)
	}
	if err != nil {
		t.Fatal(err)
	}
	if got, err := h.Program("1"); !errors.Is(err, host.ErrRefused) {
		t.Errorf("%q, error %v; want ErrRefused", got, err)
	}
}
