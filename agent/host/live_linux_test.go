package host_test

import (
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/musterhq/muster/agent/host"
)

func TestReadIntoDoesNotWaitForAWriter(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	if err := syscall.Mkfifo(filepath.Join(root, "pipe"), 0o600); err != nil {
		t.Skip(err)
	}
	h, err := host.Tree(root)
	if err != nil {
		t.Fatal(err)
	}
	if got := h.Attribute("/pipe"); got != "" {
		t.Errorf("got %q of an empty pipe", got)
	}
}

func TestKernelIsTheRunningOne(t *testing.T) {
	t.Parallel()
	k, err := host.Local().Kernel()
	if err != nil {
		t.Fatal(err)
	}
	want := host.Local().Attribute("/proc/sys/kernel/osrelease")
	if k.Release != want || k.Arch == "" {
		t.Errorf("got %+v, want release %s", k, want)
	}
}

// The addresses must equal those that the standard library finds in another way.
func TestInterfaceAddressesAreAll(t *testing.T) {
	t.Parallel()
	list, err := host.Local().InterfaceAddresses()
	if err != nil {
		t.Fatal(err)
	}
	var got, want []string
	for _, a := range list {
		got = append(got, a.Prefix.String())
	}
	others, err := net.InterfaceAddrs()
	if err != nil {
		t.Fatal(err)
	}
	for _, other := range others {
		want = append(want, netip.MustParsePrefix(other.String()).String())
	}
	slices.Sort(got)
	slices.Sort(want)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("addresses (-want +got):\n%s", diff)
	}
}

func TestFileSystemSize(t *testing.T) {
	t.Parallel()
	total, free, err := host.Local().FileSystemSize(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	if total == 0 || free > total {
		t.Errorf("total %d, free %d", total, free)
	}
}

func TestBirthTimeIsNotBeforeTheFile(t *testing.T) {
	t.Parallel()
	name := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(name, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	born, err := host.Local().BirthTime(name)
	if err != nil {
		t.Skip(err) // this file system does not record it
	}
	info, err := os.Stat(name)
	if err != nil {
		t.Fatal(err)
	}
	if born.After(info.ModTime()) {
		t.Errorf("born %v, written %v", born, info.ModTime())
	}
}
