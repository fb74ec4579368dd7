package storage

import (
	"archive/tar"
	"compress/gzip"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/musterhq/muster/agent/host"
	"github.com/musterhq/muster/agent/section/hosttest"
	inventoryv1 "github.com/musterhq/muster/proto/muster/inventory/v1"
)

// The recorded /sys of real machines. Three types of devices differ from the recording's own list
// on purpose:
//   - dm-* and zram* are not disks; they consist of disks and of memory;
//   - the size of sr0 is that of the inserted disc, or 2097151 sectors, which the kernel invents
//     for an empty drive;
//   - the list lacks NVMe disks, because it was made from directories named "block". Their sizes
//     were read from the recordings by hand.
func TestSnapshots(t *testing.T) {
	t.Parallel()
	nvme := map[string]uint64{
		"linux-amd64-415ee03b8c4d1c4f07ae2e9d8b3d3d6d": 2000409264,
		"linux-arm64-c288e0776090cd558ef793b2a4e61939": 16777216,
	}
	dir := hosttest.Corpus(t, "linux-snapshots")
	archives, err := filepath.Glob(filepath.Join(dir, "*.tar.gz"))
	if err != nil || len(archives) == 0 {
		t.Fatalf("no recordings: %v", err)
	}
	for _, archive := range archives {
		name := strings.TrimSuffix(filepath.Base(archive), ".tar.gz")
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			want := recordedSizes(t, filepath.Join(dir, name+".expected.json"))
			if sectors := nvme[name]; sectors > 0 {
				want["nvme0n1"] = sectors * sectorSize
			}
			items, err := collect(t.Context(), unpack(t, archive))
			if err != nil {
				t.Fatal(err)
			}
			got := map[string]uint64{}
			for _, item := range items {
				disk := item.(*inventoryv1.Storage)
				got[disk.Device] = disk.GetSizeBytes()
				if disk.Path != disk.Device && disk.SerialNumber == "" && disk.Wwn == "" {
					t.Errorf("%v has no key", disk)
				}
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("sizes (-want +got):\n%s", diff)
			}
		})
	}
}

func recordedSizes(t *testing.T, name string) map[string]uint64 {
	t.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	var recorded struct{ Block map[string]uint64 }
	if err := json.Unmarshal(data, &recorded); err != nil {
		t.Fatal(err)
	}
	sizes := map[string]uint64{}
	for device, sectors := range recorded.Block {
		switch {
		case strings.HasPrefix(device, "dm-"), strings.HasPrefix(device, "zram"):
		case strings.HasPrefix(device, "sr"):
			sizes[device] = 0
		default:
			sizes[device] = sectors * sectorSize
		}
	}
	return sizes
}

// The same machine as in dell-r610-block.json, for which ghw reports its disk as hdd and its drive
// as odd.
func TestSnapshotMedia(t *testing.T) {
	t.Parallel()
	archive := hosttest.Corpus(t, "linux-snapshots", "linux-amd64-8581cf3a529e5d8b97ea876eade2f60d.tar.gz")
	items, err := collect(t.Context(), unpack(t, archive))
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, item := range items {
		disk := item.(*inventoryv1.Storage)
		got[disk.Device] = disk.MediaType + " " + disk.Bus
	}
	want := map[string]string{"sda": "hdd scsi", "sr0": "optical sata"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("media (-want +got):\n%s", diff)
	}
}

// unpack makes a host from a recording.
func unpack(t *testing.T, archive string) *host.Host {
	t.Helper()
	f, err := os.Open(archive)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	plain, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	root, err := os.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = root.Close() }()
	for entries := tar.NewReader(plain); ; {
		entry, err := entries.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(entry.Name, "block") && !strings.Contains(entry.Name, "nvme") {
			continue // thousands of files of other sections
		}
		if err := extract(root, entry, entries); err != nil {
			t.Fatal(err)
		}
	}
	h, err := host.Tree(dir)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func extract(root *os.Root, entry *tar.Header, content io.Reader) error {
	name := filepath.Clean(entry.Name)
	if entry.Typeflag == tar.TypeDir {
		return root.MkdirAll(name, 0o750)
	}
	if err := root.MkdirAll(filepath.Dir(name), 0o750); err != nil {
		return err
	}
	if entry.Typeflag == tar.TypeSymlink {
		return root.Symlink(entry.Linkname, name)
	}
	data, err := io.ReadAll(content)
	if err != nil {
		return err
	}
	if err := root.WriteFile(name, data, 0o600); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return nil
}
