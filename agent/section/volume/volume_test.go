package volume

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/testing/protocmp"
	"pgregory.net/rapid"

	"github.com/musterhq/muster/agent/host"
	"github.com/musterhq/muster/agent/section"
	"github.com/musterhq/muster/agent/section/hosttest"
	"github.com/musterhq/muster/internal/inventory"
	inventoryv1 "github.com/musterhq/muster/proto/muster/inventory/v1"
)

func points(mounts []mount) []string {
	var found []string
	for _, m := range mounts {
		found = append(found, m.point)
	}
	return found
}

func TestChoose(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		table string
		want  []string
	}{
		"a desktop": {`
22 1 0:21 / /proc rw - proc proc rw
27 1 259:2 / / rw shared:1 - ext4 /dev/nvme0n1p2 rw
28 27 259:1 / /boot/efi rw shared:2 - vfat /dev/nvme0n1p1 rw
29 27 0:25 / /run rw - tmpfs tmpfs rw
30 27 7:1 / /snap/core22/864 ro - squashfs /dev/loop1 ro
31 29 0:44 / /run/user/1000 rw - tmpfs tmpfs rw
32 31 0:45 / /run/user/1000/gvfs rw - fuse.gvfsd-fuse gvfsd-fuse rw
33 31 0:46 / /run/user/1000/doc rw - fuse.portal portal rw
34 27 0:47 / /home/me/share rw - fuse.sshfs me@server:/srv rw
35 27 0:48 / /mnt/nas rw - nfs4 nas:/export rw
36 27 0:49 / /misc rw - autofs /etc/auto.misc rw
`, []string{"/", "/boot/efi", "/home/me/share", "/mnt/nas"}},
		"a container": {`
1 0 0:50 / / rw - overlay overlay rw,lowerdir=/a
2 1 0:51 / /proc rw - proc proc rw
3 1 259:2 /var/lib/docker/containers/42/hosts /etc/hosts rw - ext4 /dev/nvme0n1p2 rw
`, []string{"/", "/etc/hosts"}}, // only a live machine shows whether that is a file
		"directories mounted again": {`
1 0 8:1 / / rw - ext4 /dev/sda1 rw
2 1 8:1 /srv/data /export rw - ext4 /dev/sda1 rw
3 1 8:2 / /mnt/a/long/way rw - xfs /dev/sda2 rw
4 1 8:2 /deep /x rw - xfs /dev/sda2 rw
5 1 8:3 / /var/lib/b rw - xfs /dev/sda3 rw
6 1 8:3 / /b rw - xfs /dev/sda3 rw
`, []string{"/", "/b", "/mnt/a/long/way"}},
		"ostree has its root in a directory": {`
1 0 8:1 /ostree/deploy/fedora/deploy/42.0 / rw - xfs /dev/sda1 rw
2 1 8:1 / /sysroot rw - xfs /dev/sda1 rw
3 1 8:1 /ostree/deploy/fedora/var /var rw - xfs /dev/sda1 rw
`, []string{"/"}},
		"btrfs subvolumes": {`
1 0 0:35 /@ / rw - btrfs /dev/sda2 rw,ssd,subvolid=256,subvol=/@
2 1 0:35 /@home /home rw - btrfs /dev/sda2 rw,ssd,subvolid=257,subvol=/@home
3 1 0:35 /@/var/lib/x /x rw - btrfs /dev/sda2 rw,ssd,subvolid=256,subvol=/@
4 1 0:35 /@home /mnt/home rw - btrfs /dev/sda2 rw,ssd,subvolid=257,subvol=/@home
5 1 0:35 / /mnt/top rw - btrfs /dev/sda2 rw,ssd,subvolid=5,subvol=/
`, []string{"/", "/home", "/mnt/top"}},
		"what is mounted over hides": {`
1 0 0:1 / / rw - rootfs rootfs rw
2 1 8:1 / / rw - ext4 /dev/sda1 rw
3 2 8:2 / /mnt rw - ext4 /dev/sda2 rw
4 3 0:60 / /mnt rw - tmpfs tmpfs rw
`, []string{"/"}},
		"ZFS": {`
1 0 0:30 / / rw - zfs rpool/ROOT/debian rw
2 1 0:31 / /home rw - zfs rpool/home rw
`, []string{"/", "/home"}},
		"nothing":       {"", nil},
		"not its lines": {"x\n1 2 3\n1 2 8:1 / mnt rw - ext4 /dev/sda rw\n - \n" + strings.Repeat("y", 1<<20) + "\n", nil},
	} {
		if diff := cmp.Diff(tt.want, points(choose(parseMounts(tt.table)))); diff != "" {
			t.Errorf("%s: mount points (-want +got):\n%s", name, diff)
		}
	}
}

func TestVolumes(t *testing.T) {
	t.Parallel()
	h := hosttest.Tree(t, map[string]string{
		"/proc/self/mountinfo": `1 0 253:1 / / rw - ext4 /dev/mapper/vg-root rw
2 1 8:1 / /boot rw - ext4 /dev/sda1 rw
3 1 0:35 /@home /home rw - btrfs /dev/mapper/home rw,subvol=/@home
4 1 8:17 / /media/My\040Disk rw - vfat /dev/sdb1 rw
5 1 0:48 / /mnt/nas rw - cifs //nas/share rw
6 1 259:9 /hosts /etc/hosts rw - ext4 /dev/nvme9n1p9 rw
7 1 253:4 / /mixed rw - ext4 /dev/mapper/mixed rw
`,
		"/etc/hosts":                        "127.0.0.1 localhost\n",
		"/sys/dev/block/253:1":              "-> ../../devices/virtual/block/dm-1",
		"/sys/dev/block/253:4":              "-> ../../devices/virtual/block/dm-4",
		"/sys/class/block/dm-0/dm/uuid":     "CRYPT-LUKS2-0123-luks\n",
		"/sys/class/block/dm-1/dm/uuid":     "LVM-abc\n",
		"/sys/class/block/dm-1/dev":         "253:1\n",
		"/sys/class/block/dm-1/slaves/":     "",
		"/sys/class/block/dm-1/slaves/dm-0": "-> ../../dm-0",
		"/run/udev/data/b253:1":             "E:ID_FS_UUID=11111111-2222-3333-4444-555555555555\nE:ID_FS_LABEL=root_fs\nE:ID_FS_LABEL_ENC=root\\x20fs\n",
		"/dev/mapper/home":                  "-> ../dm-2",
		"/sys/class/block/dm-2/dm/uuid":     "CRYPT-LUKS1-0456-home",
		"/dev/disk/by-uuid/AAAA-BBBB":       "-> ../../sdb1",
		"/dev/disk/by-uuid/CCCC-DDDD":       "-> ../../sda1",
		"/dev/disk/by-label/My\\x20Disk":    "-> ../../sdb1",
		"/sys/class/block/dm-4/slaves/a":    "-> ../../dm-0",
		"/sys/class/block/dm-4/slaves/dm-0": "-> ../../dm-0",
		"/sys/class/block/a/slaves/dm-4":    "-> ../../dm-4", // a cycle of devices
	})
	report := section.Run(t.Context(), h, []section.Collector{Collector()})[0]
	var got []*inventoryv1.Volume
	for _, item := range report.Items {
		got = append(got, item.(*inventoryv1.Volume))
	}
	other := proto.Bool(false)
	want := []*inventoryv1.Volume{
		{MountPoint: "/", Device: "/dev/mapper/vg-root", FsType: "ext4", Label: "root fs", Uuid: "11111111-2222-3333-4444-555555555555", IsSystem: proto.Bool(true), EncryptionMethod: "luks"},
		{MountPoint: "/boot", Device: "/dev/sda1", FsType: "ext4", Uuid: "CCCC-DDDD", IsSystem: other},
		{MountPoint: "/home", Device: "/dev/mapper/home", FsType: "btrfs", IsSystem: other, EncryptionMethod: "luks"},
		{MountPoint: "/media/My Disk", Device: "/dev/sdb1", FsType: "vfat", Label: "My Disk", Uuid: "AAAA-BBBB", IsSystem: other},
		{MountPoint: "/mixed", Device: "/dev/mapper/mixed", FsType: "ext4", IsSystem: other},
		{MountPoint: "/mnt/nas", Device: "//nas/share", FsType: "cifs", IsSystem: other},
	}
	if diff := cmp.Diff(want, got, protocmp.Transform()); diff != "" {
		t.Errorf("volumes (-want +got):\n%s", diff)
	}
	if report.Status != inventory.StatusOK {
		t.Errorf("status %s: %s", report.Status, report.Message)
	}
}

// TestRecordedDesktop: what desktops and containers mount for themselves is not a volume.
func TestRecordedDesktop(t *testing.T) {
	t.Parallel()
	report := section.Run(t.Context(), hosttest.Case(t, "volume-fuse-desktop", "root"), []section.Collector{Collector()})[0]
	var got []string
	for _, item := range report.Items {
		got = append(got, item.(*inventoryv1.Volume).MountPoint)
	}
	if diff := cmp.Diff([]string{"/", "/srv/remote"}, got); diff != "" || report.Status != inventory.StatusOK {
		t.Errorf("status %s, volumes (-want +got):\n%s", report.Status, diff)
	}
}

func TestServedByAProcess(t *testing.T) {
	t.Parallel()
	const system, user = "rw,user_id=0,group_id=0,allow_other", "rw,user_id=1000,group_id=1000"
	for name, tt := range map[string]struct {
		point, fsType, source, options string
		want                           bool
	}{
		"sshfs of a user":                     {"/home/me/share", "fuse.sshfs", "me@server:/srv", user, true},
		"sshfs of old":                        {"/mnt/server", "fuse", "sshfs#me@server:", system, true},
		"rclone":                              {"/home/me/cloud", "fuse.rclone", "drive:", user, true},
		"s3fs of the system":                  {"/srv/bucket", "fuse.s3fs", "s3fs", system, true},
		"a host's folder":                     {"/mnt/hgfs", "fuse.vmhgfs-fuse", "vmhgfs-fuse", system, true},
		"a driver for a device":               {"/mnt/apple", "fuse.apfs-fuse", "/dev/sdb2", user, true},
		"a stick":                             {"/run/media/me/STICK", "fuse.apfs-fuse", "/dev/sdb2", user, true},
		"gluster":                             {"/data", "fuse.glusterfs", "server:/volume", system, true},
		"a view of other folders":             {"/pool", "fuse.mergerfs", "/mnt/a:/mnt/b", system, false},
		"an encrypted view":                   {"/home/me/secret", "fuse.gocryptfs", "/home/me/cipher", user, false},
		"xrdp":                                {"/home/me/thinclient_drives", "fuse.xrdp-chansrv", "xrdp-chansrv", user, false},
		"xrdp of root":                        {"/srv/thinclient_drives", "fuse.xrdp-chansrv", "xrdp-chansrv", "rw,user_id=0,group_id=0", false},
		"an AppImage":                         {"/tmp/.mount_x", "fuse.Some Program", "Some Program", user, false},
		"an AppImage started by root":         {"/tmp/.mount_x", "fuse.x", "x", system, false},
		"an AppImage in another TMPDIR":       {"/home/me/tmp/.mount_x", "fuse.x", "x", user, false},
		"an AppImage with a colon":            {"/tmp/.mount_x", "fuse.a:b", "a:b.AppImage", user, false},
		"lxcfs":                               {"/var/lib/lxcfs", "fuse.lxcfs", "lxcfs", system, false},
		"a snap":                              {"/snap/core/1", "fuse.snapfuse", "/var/lib/snapd/snaps/core_1.snap", system, false},
		"a program image by squashfuse":       {"/opt/app", "fuse.squashfuse", "/srv/app.sqfs", system, false},
		"a container's layers":                {"/home/me/containers/merged", "fuse.fuse-overlayfs", "fuse-overlayfs", user, false},
		"a container's layers, run by root":   {"/var/lib/containers/storage/overlay/0/merged", "fuse.fuse-overlayfs", "fuse-overlayfs", system, false},
		"ZFS":                                 {"/tank/data", "zfs", "tank/data", "rw,xattr", true},
		"a ZFS snapshot":                      {"/tank/data/.zfs/snapshot/daily", "zfs", "tank/data@daily", "ro", false},
		"a ZFS snapshot, mounted by a person": {"/mnt/old", "zfs", "tank/data@daily", "ro", false},
	} {
		m := mount{device: "0:42", root: "/", point: tt.point, fsType: tt.fsType, source: tt.source, options: tt.options}
		if got := len(choose([]mount{m})) == 1; got != tt.want {
			t.Errorf("%s: volume %v, want %v", name, got, tt.want)
		}
	}
}

func TestNoMountTable(t *testing.T) {
	t.Parallel()
	report := section.Run(t.Context(), hosttest.Tree(t, map[string]string{"/etc/": ""}), []section.Collector{Collector()})[0]
	if report.Status != inventory.StatusUnsupported {
		t.Errorf("status %s: %s", report.Status, report.Message)
	}
}

func TestCryptMethod(t *testing.T) {
	t.Parallel()
	for uuid, want := range map[string]string{
		"CRYPT-LUKS2-0123-x": "luks", "CRYPT-LUKS1-0123-x": "luks", "CRYPT-BITLK-0-x": "bitlocker", "CRYPT-PLAIN-x": "dm-crypt",
		"CRYPT-VERITY-0-x": "", "LVM-abc": "", "mpath-3600": "", "": "",
	} {
		if got := cryptMethod(uuid); got != want {
			t.Errorf("cryptMethod(%q) = %q, want %q", uuid, got, want)
		}
	}
}

// The recorded table of a real machine, line by line.
func TestRecordedTable(t *testing.T) {
	t.Parallel()
	dir := hosttest.Corpus(t, "command-output", "jc", "linux-proc")
	table, err := os.ReadFile(filepath.Join(dir, "pid_mountinfo"))
	if err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(filepath.Join(dir, "pid_mountinfo.json"))
	if err != nil {
		t.Fatal(err)
	}
	var lines []struct {
		Maj, Min   int
		Root       string
		MountPoint string `json:"mount_point"`
		FsType     string `json:"fs_type"`
		Source     string `json:"mount_source"`
	}
	if err := json.Unmarshal(data, &lines); err != nil {
		t.Fatal(err)
	}
	var want, got []string
	for _, l := range lines {
		want = append(want, fmt.Sprintf("%d:%d %s %s %s %s", l.Maj, l.Min, l.Root, l.MountPoint, l.FsType, l.Source))
	}
	mounts := parseMounts(string(table))
	for _, m := range mounts {
		got = append(got, strings.Join([]string{m.device, m.root, m.point, m.fsType, m.source}, " "))
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("mounts (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"/", "/boot"}, points(choose(mounts))); diff != "" {
		t.Errorf("volumes (-want +got):\n%s", diff)
	}
}

// Any name that the kernel escapes is read back unchanged.
func TestEscapedNamesAreReadBack(t *testing.T) {
	t.Parallel()
	kernel := strings.NewReplacer(" ", `\040`, "\t", `\011`, "\n", `\012`, `\`, `\134`, "#", `\043`)
	rapid.Check(t, func(t *rapid.T) {
		point := "/" + rapid.String().Draw(t, "point")
		source := rapid.StringN(1, -1, -1).Draw(t, "source")
		m, ok := parseMount("36 35 98:0 / " + kernel.Replace(point) + " rw master:1 - ext4 " + kernel.Replace(source) + " rw")
		if !ok || m.point != point || m.source != source {
			t.Fatalf("got %q %q, want %q %q", m.point, m.source, point, source)
		}
	})
}

func FuzzChoose(f *testing.F) {
	f.Add("1 0 8:1 / / rw - ext4 /dev/sda1 rw\n2 1 0:35 /@ /x\\040y rw shared:1 - btrfs /dev/sdb rw,subvol=/@\n")
	f.Fuzz(func(t *testing.T, table string) {
		seen := map[string]bool{}
		for _, m := range choose(parseMounts(table)) {
			if seen[m.point] || !strings.HasPrefix(m.point, "/") {
				t.Errorf("mount point %q", m.point)
			}
			seen[m.point] = true
		}
	})
}

func BenchmarkCollect(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, err := collect(b.Context(), host.Local()); err != nil {
			b.Fatal(err)
		}
	}
}
