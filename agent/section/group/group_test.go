package group

import (
	"errors"
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/testing/protocmp"

	"github.com/musterhq/muster/agent/host"
	"github.com/musterhq/muster/agent/section/hosttest"
	inventoryv1 "github.com/musterhq/muster/proto/muster/inventory/v1"
)

const groups = `root:x:0:
daemon:x:1:
sudo:x:27:bob,alice,bob
docker:x:998:alice
alice:x:1000:
operators:x:1100:carol
nogroup:x:65534:
+::
broken:x
`

const rules = `# User privilege specification
Defaults env_reset
root ALL=(ALL:ALL) ALL
%sudo   ALL=(ALL:ALL) ALL
%operators ALL=(root) /usr/bin/systemctl restart web
`

func TestCollect(t *testing.T) {
	t.Parallel()
	got, err := collect(t.Context(), hosttest.Tree(t, map[string]string{
		"/etc/os-release": "ID=debian\n", "/etc/group": groups, sudoers: rules,
		sudoersD + "/docker":     "%#998 ALL = NOPASSWD: ALL\n",
		sudoersD + "/old.backup": "%alice ALL=(ALL) ALL\n",
	}))
	if err != nil {
		t.Error(err)
	}
	want := []proto.Message{
		&inventoryv1.Group{Name: "sudo", Id: "27", Members: []string{"alice", "bob"}, IsAdmin: proto.Bool(true)},
		&inventoryv1.Group{Name: "docker", Id: "998", Members: []string{"alice"}, IsAdmin: proto.Bool(true)},
		&inventoryv1.Group{Name: "alice", Id: "1000", IsAdmin: proto.Bool(false)},
		&inventoryv1.Group{Name: "operators", Id: "1100", Members: []string{"carol"}, IsAdmin: proto.Bool(false)},
	}
	if diff := cmp.Diff(want, got, protocmp.Transform()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if _, err := collect(t.Context(), hosttest.Tree(t, nil)); !errors.Is(err, host.ErrUnsupported) {
		t.Errorf("error %v, want %v", err, host.ErrUnsupported)
	}
}

// TestDenied: an ordinary user may not read sudoers, so is_admin is unknown.
func TestDenied(t *testing.T) {
	t.Parallel()
	if os.Geteuid() == 0 {
		t.Skip("root may read every file")
	}
	h := hosttest.Tree(t, map[string]string{"/etc/os-release": "ID=debian\n", "/etc/group": groups, sudoers: rules})
	name, err := h.Path(sudoers)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(name, 0); err != nil {
		t.Fatal(err)
	}
	items, err := collect(t.Context(), h)
	if err != nil || len(items) != 4 {
		t.Errorf("%d items, error %v", len(items), err)
	}
	for _, item := range items {
		if g, ok := item.(*inventoryv1.Group); !ok || g.IsAdmin != nil {
			t.Errorf("%v", item)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add(groups, rules)
	f.Add("a:b:1000:,,\n:::", "%=ALL\n% = ALL\n%a\\ b ALL=ALL")
	f.Fuzz(func(t *testing.T, groups, rules string) {
		for _, g := range parse(groups) {
			if g.Name == "" || g.Id == "" {
				t.Errorf("%q: %v", groups, g)
			}
		}
		addAdministrators(map[string]bool{}, rules)
	})
}
