package patch

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/testing/protocmp"

	"github.com/musterhq/muster/agent/host"
	"github.com/musterhq/muster/agent/section/hosttest"
	inventoryv1 "github.com/musterhq/muster/proto/muster/inventory/v1"
)

func TestCollect(t *testing.T) {
	t.Parallel()
	got, err := collect(t.Context(), hosttest.Tree(t, map[string]string{
		"/etc/os-release":                         "ID=ubuntu\n",
		livePatches + "/livepatch_5_15_1/enabled": "1\n",
		livePatches + "/livepatch_old/enabled":    "0\n",
		preparedUpdate:                            "[update]\nprepared_ids=kernel;6.12.1-100.fc41;x86_64;updates,glibc;2.40-9.fc41;x86_64;updates\n",
		rebootPackages:                            "linux-image-6.1.0-38-amd64\nlibc6\nlibc6\n",
	}))
	if err != nil {
		t.Error(err)
	}
	want := []proto.Message{
		&inventoryv1.Patch{Id: "livepatch_5_15_1", Source: "livepatch", Kind: "kernel", State: "installed"},
		&inventoryv1.Patch{Id: "livepatch_old", Source: "livepatch", Kind: "kernel", State: "disabled"},
		&inventoryv1.Patch{Id: "kernel", Source: "packagekit", Kind: "package", State: "pending", Version: "6.12.1-100.fc41"},
		&inventoryv1.Patch{Id: "glibc", Source: "packagekit", Kind: "package", State: "pending", Version: "2.40-9.fc41"},
		&inventoryv1.Patch{Id: "libc6", Source: "reboot_required", Kind: "package", State: "reboot"},
		&inventoryv1.Patch{Id: "linux-image-6.1.0-38-amd64", Source: "reboot_required", Kind: "package", State: "reboot"},
	}
	if diff := cmp.Diff(want, got, protocmp.Transform()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if _, err := collect(t.Context(), hosttest.Tree(t, map[string]string{"/etc/os-release": "ID=debian\n"})); !errors.Is(err, host.ErrUnsupported) {
		t.Errorf("error %v, want %v", err, host.ErrUnsupported)
	}
}

func FuzzPrepared(f *testing.F) {
	f.Add("[update]\nprepared_ids=kernel;6.12.1-100.fc41;x86_64;updates,a;b;c;d\n")
	f.Add("kernel;1;x86_64;updates\nkernel;1;x86_64")
	f.Fuzz(func(t *testing.T, text string) {
		for _, item := range parsePrepared(text) {
			if p, ok := item.(*inventoryv1.Patch); !ok || p.Id == "" {
				t.Errorf("%q: %v", text, item)
			}
		}
	})
}
