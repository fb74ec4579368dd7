package postgres

import (
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestPick(t *testing.T) {
	t.Parallel()
	servers := func(majors ...int) []*server {
		var list []*server
		for _, major := range majors {
			list = append(list, &server{major: major, version: strconv.Itoa(major)})
		}
		return list
	}
	for _, test := range []struct {
		name      string
		installed []*server
		major     int
		want      int
		wantErr   string
	}{
		{name: "the newest", installed: servers(15, 17, 16), want: 17},
		{name: "numbers, not letters", installed: servers(9, 15), want: 15},
		{name: "none too new", installed: servers(16, 19), want: 16},
		{name: "the one that made the data", installed: servers(15, 17), major: 15, want: 15},
		{name: "none that is old enough", installed: servers(9, 14), wantErr: "apt-get install postgresql"},
		{name: "nothing installed", wantErr: "installed: none"},
		{name: "not the one that made the data", installed: servers(17), major: 15, wantErr: "apt-get install postgresql-15"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			got, err := pick(test.installed, test.major)
			switch {
			case test.wantErr != "":
				if err == nil || !strings.Contains(err.Error(), test.wantErr) {
					t.Errorf("got error %v, want one with %q", err, test.wantErr)
				}
				if errors.Is(err, ErrNotInstalled) != (test.major == 0) {
					t.Errorf("%v: only the lack of any server is ErrNotInstalled", err)
				}
			case err != nil:
				t.Error(err)
			case got.major != test.want:
				t.Errorf("got %d, want %d", got.major, test.want)
			}
		})
	}
}

func TestSettings(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name    string
		memory  int64
		buffers string
		cache   string
	}{
		{"unknown", 0, "128MB", "256MB"},
		{"small", 2 * gibibyte, "512MB", "1024MB"},
		{"large", 256 * gibibyte, "1024MB", "131072MB"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			got := settings(test.memory)
			if got["shared_buffers"] != test.buffers || got["effective_cache_size"] != test.cache {
				t.Errorf("got %s and %s, want %s and %s", got["shared_buffers"], got["effective_cache_size"], test.buffers, test.cache)
			}
		})
	}
}

func TestMeminfo(t *testing.T) {
	t.Parallel()
	name := filepath.Join(t.TempDir(), "meminfo")
	if err := os.WriteFile(name, []byte("MemTotal:       24660844 kB\nMemFree:         1 kB\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if got, want := meminfoTotal(name), int64(24660844*1024); got != want {
		t.Errorf("got %d, want %d", got, want)
	}
	if got := meminfoTotal(name + ".absent"); got != 0 {
		t.Errorf("without the file: got %d", got)
	}
}

func TestLogIsBounded(t *testing.T) {
	t.Parallel()
	name := filepath.Join(t.TempDir(), "postgres.log")
	l, err := openLog(name)
	if err != nil {
		t.Fatal(err)
	}
	block := []byte(strings.Repeat("x", mebibyte-1) + "\n")
	for range 40 {
		if _, err := l.Write(block); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := l.Write([]byte("the last line\n")); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff("the last line", l.tail()); diff != "" {
		t.Errorf("tail (-want +got):\n%s", diff)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(name + "*")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{name, name + ".1"}, files); diff != "" {
		t.Errorf("files (-want +got):\n%s", diff)
	}
	for _, file := range files {
		if info, err := os.Stat(file); err != nil || info.Size() > maxLogSize {
			t.Errorf("%s: %v, %v", file, info.Size(), err)
		}
	}
}
