package e2e

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// smallDisk mounts a file system of a size in bytes, as root only.
func smallDisk(t *testing.T, size string) (dir string) {
	t.Helper()
	dir = t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "mode=0755,size="+size); err != nil {
		t.Skipf("cannot mount a small disk: %v", err)
	}
	t.Cleanup(func() { // after the collector on it has ended
		if err := syscall.Unmount(dir, syscall.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	return dir
}

// fill writes a file until only left bytes of the disk are free, or nothing can be written.
func fill(t *testing.T, dir string, left int64) (empty func()) {
	t.Helper()
	name := filepath.Join(dir, "filler")
	f, err := os.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	chunk := make([]byte, 64<<10)
	for free(t, dir) > left {
		if _, err := f.Write(chunk); err != nil {
			break
		}
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	return func() {
		if err := os.Remove(name); err != nil {
			t.Error(err)
		}
	}
}

func free(t *testing.T, dir string) int64 {
	t.Helper()
	var s syscall.Statfs_t
	if err := syscall.Statfs(dir, &s); err != nil {
		t.Fatal(err)
	}
	return int64(s.Bavail) * s.Bsize
}

// onDisk starts a collector with a private database on a disk.
func onDisk(t *testing.T, disk, minFree string) *collector {
	t.Helper()
	c := prepare(t, "", "--min-free", minFree)
	c.dir = filepath.Join(disk, "collector")
	c.args[2] = c.dir
	c.start(t)
	return c
}

// TestInventoriesStopBeforeTheDiskIsFull: below --min-free the collector accepts no inventories and
// says so, and everything else works. With more space it continues by itself.
func TestInventoriesStopBeforeTheDiskIsFull(t *testing.T) {
	t.Parallel()
	disk := smallDisk(t, "400m")
	c, m := onDisk(t, disk, "100MB"), newMachine(63, "S1")
	a := enroll(t, c, c.agents, m)
	a.mustSync(t)
	a.mustSync(t)
	m.change()

	empty := fill(t, disk, 90<<20)
	eventually(t, "readyz to fail", func() bool { return c.readiness() == http.StatusServiceUnavailable })
	checkOutage(t, "readyz", c.reply(t, http.MethodGet, "/readyz", nil), "--min-free is 100 MB")
	checkPaced(t, a, "accepts no inventories")
	checkOutage(t, "an import", c.reply(t, http.MethodPost, "/api/v1/imports?format=glpi-json", map[string]any{}), "--min-free")
	if got := c.read(t); got.status != http.StatusOK {
		t.Errorf("a read: got %+v", got)
	}
	if got := c.write(t); got.status != http.StatusCreated {
		t.Errorf("a change: got %+v", got)
	}
	if got := c.reply(t, http.MethodGet, "/healthz", nil); got.status != http.StatusOK {
		t.Errorf("healthz: got %+v", got)
	}

	empty()
	eventually(t, "readyz to recover", func() bool { return c.readiness() == http.StatusOK })
	a.mustSync(t)
	checkEqual(t, c, a, m)
	c.stop(t)
}

// TestPrivateDatabaseOnAFullDisk: another program fills the disk to the last byte. The collector
// keeps running, whether PostgreSQL survives or ends, and continues when there is space again.
func TestPrivateDatabaseOnAFullDisk(t *testing.T) {
	t.Parallel()
	disk := smallDisk(t, "300m")
	c, m := onDisk(t, disk, "0"), newMachine(64, "S1")
	began := c.process
	a := enroll(t, c, c.agents, m)
	a.mustSync(t)

	empty := fill(t, disk, 0)
	rejected := func() bool {
		m.changeMany(200)
		_, err := a.Sync(t.Context())
		return err != nil
	}
	eventually(t, "an inventory to find the disk full", rejected)
	checkPaced(t, a, "")
	if c.process != began || !c.running() {
		t.Fatal("the collector ended")
	}

	empty()
	eventually(t, "the collector to be ready", func() bool { return c.readiness() == http.StatusOK })
	a.mustSync(t)
	checkEqual(t, c, a, m)
	if strings.Contains(c.log.String(), "panic in call") {
		t.Error("the collector panicked")
	}
	c.stop(t)
}
