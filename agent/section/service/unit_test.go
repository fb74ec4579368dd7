package service

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestApply(t *testing.T) {
	t.Parallel()
	var got unit
	got.apply(`# a comment
; another
Description=before any section
[Unit]
Description = The foo \
# in between
   daemon
Bad line
[Service]
ExecStart=@!/usr/bin/foo foo \
  --bar
ExecStart=/usr/bin/second
User=foo
[Install]
WantedBy=multi-user.target
Alias=a.service b.service
Also=c.socket
DefaultInstance=one
[Other]
User=no
`)
	want := unit{
		description: "The foo  daemon", execStart: "@!/usr/bin/foo foo  --bar", user: "foo", aliases: []string{"a.service", "b.service"},
		defaultInstance: "one", wanted: true, also: true,
	}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(unit{})); diff != "" {
		t.Errorf("unit (-want +got):\n%s", diff)
	}
}

func TestExecutable(t *testing.T) {
	t.Parallel()
	for line, want := range map[string]string{
		"/usr/bin/foo --bar": "/usr/bin/foo", "-/bin/a": "/bin/a", "@-:+/bin/a b": "/bin/a", "!!/bin/a": "/bin/a", `"/opt/my app/x" y`: "/opt/my app/x",
		"'/opt/x' y": "/opt/x", "sleep 5": "sleep", "/bin/a\tb": "/bin/a", "": "", `"/bin/open y`: `"/bin/open`, "|/bin/a": "/bin/a",
	} {
		if got := executable(line); got != want {
			t.Errorf("executable(%q) = %q, want %q", line, got, want)
		}
	}
}

func FuzzApply(f *testing.F) {
	f.Add("[Unit]\nDescription=a\\\nb\n[Service]\nExecStart=-\"/bin/x\" y\nUser=u\n[Install]\nAlias=a b\nWantedBy=\n")
	f.Fuzz(func(t *testing.T, text string) {
		var u unit
		u.apply(text)
		if len(u.description) > len(text)+1 || len(executable(u.execStart)) > len(u.execStart) {
			t.Errorf("more than the file has: %+v", u)
		}
	})
}
