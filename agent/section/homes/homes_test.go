package homes_test

import (
	"slices"
	"testing"

	"github.com/musterhq/muster/agent/section/homes"
)

func TestOfPeople(t *testing.T) {
	t.Parallel()
	const table = `root:x:0:0:root:/root:/bin/bash
daemon:x:1:1::/usr/sbin:/usr/sbin/nologin
ann:x:1000:1000:Ann:/home/ann/:/bin/bash
twin:x:1001:1001::/home/ann:/bin/bash
nohome:x:1002:1002::/:/bin/sh
relative:x:1003:1003::home:/bin/sh
nobody:x:65534:65534::/nonexistent:/usr/sbin/nologin
short:x:1004
odd:x:-5:0::/home/odd:/bin/sh
`
	for _, c := range []struct {
		root bool
		want []string
	}{{false, []string{"/home/ann"}}, {true, []string{"/root", "/home/ann"}}} {
		if got := homes.OfPeople(table, c.root); !slices.Equal(got, c.want) {
			t.Errorf("with root %v: %q, want %q", c.root, got, c.want)
		}
	}
}

func TestRemote(t *testing.T) {
	t.Parallel()
	mounts := homes.ParseMounts(`22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw
30 22 0:40 / /home rw shared:2 - nfs4 server:/home rw
31 30 8:2 / /home/local rw - ext4 /dev/sda2 rw
32 22 0:41 / /mnt/a\040b rw - fuse.sshfs host:/ rw
damaged
`)
	for name, want := range map[string]bool{
		"/home/ann": true, "/home/local/bob": false, "/mnt/a b/c": true, "/var/lib": false, "//server/share": true, "/": false,
	} {
		if got := mounts.Remote(name); got != want {
			t.Errorf("%s: remote %v, want %v", name, got, want)
		}
	}
}
