package security

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/testing/protocmp"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/musterhq/muster/agent/host"
	"github.com/musterhq/muster/agent/section/hosttest"
	inventoryv1 "github.com/musterhq/muster/proto/muster/inventory/v1"
)

const (
	wants    = "/etc/systemd/system/multi-user.target.wants/"
	timers   = "/etc/systemd/system/timers.target.wants/"
	variable = "/sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c"
	slice    = "/sys/fs/cgroup/system.slice/"
)

func posture(control, product, state string, enabled bool) *inventoryv1.SecurityPosture {
	return &inventoryv1.SecurityPosture{Control: control, Product: product, State: state, Enabled: proto.Bool(enabled)}
}

// TestDesktop is an encrypted laptop with Debian.
func TestDesktop(t *testing.T) {
	t.Parallel()
	got, err := collect(t.Context(), hosttest.Tree(t, map[string]string{
		"/etc/os-release": "ID=debian\n",
		variable:          "\x06\x00\x00\x00\x01",
		"/proc/self/mountinfo": "22 1 254:0 / / rw - ext4 /dev/mapper/root rw\n" +
			"23 22 259:2 / /boot rw - ext4 /dev/nvme0n1p2 rw\n24 23 259:1 / /boot/efi rw - vfat /dev/nvme0n1p1 rw\n",
		"/proc/mounts":                               "x",
		"/sys/dev/block/254:0":                       "-> ../../class/block/dm-0",
		"/sys/class/block/dm-0/dm/uuid":              "CRYPT-LUKS2-1f0e-root\n",
		"/sys/class/block/dm-0/dm/name":              "root\n",
		"/sys/class/block/dm-0/dev":                  "254:0\n",
		"/sys/class/block/nvme0n1p2/dev":             "259:2\n",
		"/etc/ufw/ufw.conf":                          "# comment\nENABLED=yes\nLOGLEVEL=low\n",
		wants + "ufw.service":                        "-> /lib/systemd/system/ufw.service",
		"/usr/sbin/nft":                              "x",
		"/sys/module/apparmor/parameters/enabled":    "Y\n",
		"/sys/kernel/security/lockdown":              "none [integrity] confidentiality\n",
		"/var/lib/clamav/daily.cld":                  clamHeaderText + "binary",
		slice + "clamav-daemon.service/cgroup.procs": "1\n",
		slice + "ssh.service/cgroup.procs":           "1\n",
		"/opt/CrowdStrike/falcon-sensor":             "x",
		"/usr/sbin/sshd":                             "x",
		"/usr/bin/unattended-upgrade":                "x",
		aptConfiguration + "/20auto-upgrades":        "APT::Periodic::Update-Package-Lists \"1\";\nAPT::Periodic::Unattended-Upgrade \"1\";\n",
		aptConfiguration + "/50unattended-upgrades":  "// APT::Periodic::Unattended-Upgrade \"0\";\n",
	}))
	if err != nil {
		t.Error(err)
	}
	disks := posture("disk_encryption", "", "on", true)
	disks.Detail = "luks"
	mode := posture("kernel_lockdown", "", "on", true)
	mode.Detail = "integrity"
	clam := posture("antivirus", "ClamAV", "on", true)
	clam.SignatureVersion, clam.SignatureDate = "27450", timestamppb.New(time.Unix(1730283600, 0))
	want := []proto.Message{
		posture("secure_boot", "", "on", true), disks,
		posture("firewall", "ufw", "on", true), posture("firewall", "nftables", "off", false),
		posture("mandatory_access_control", "AppArmor", "on", true), mode,
		clam, posture("antivirus", "CrowdStrike Falcon", "off", false),
		posture("remote_login", "OpenSSH", "on", true),
		posture("automatic_updates", "unattended-upgrades", "on", true),
	}
	if diff := cmp.Diff(want, got, protocmp.Transform()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

const clamHeaderText = "ClamAV-VDB:30 Oct 2024 06-20 -0400:27450:2067330:90:X:X:builder:1730283600" +
	"                                                                                                                " +
	"                                                                                                                " +
	"                                                                                                                " +
	"                                                                                                                "

// TestServer is a server with Fedora, SELinux and a BIOS, which logs what it would forbid.
func TestServer(t *testing.T) {
	t.Parallel()
	got, err := collect(t.Context(), hosttest.Tree(t, map[string]string{
		"/etc/os-release":                        "ID=fedora\n",
		"/sys/firmware/dmi/tables/DMI":           "x",
		"/etc/selinux/config":                    "SELINUX=permissive\nSELINUXTYPE=targeted\n",
		"/sys/fs/selinux/enforce":                "0",
		"/usr/sbin/firewalld":                    "x",
		slice + "firewalld.service/cgroup.procs": "1\n",
		"/sys/kernel/security/lockdown":          "[none] integrity confidentiality\n",
		"/usr/sbin/sshd":                         "x",
		"/etc/dnf/automatic.conf":                "[commands]\nupgrade_type = default\napply_updates = yes # all\n",
		timers + "dnf-automatic.timer":           "-> /usr/lib/systemd/system/dnf-automatic.timer",
		"/opt/microsoft/mdatp/":                  "",
	}))
	if err != nil {
		t.Error(err)
	}
	mac := posture("mandatory_access_control", "SELinux", "permissive", false)
	mac.Detail = "targeted"
	want := []proto.Message{
		posture("secure_boot", "", "not supported", false), posture("firewall", "firewalld", "on", true), mac,
		posture("kernel_lockdown", "", "off", false),
		posture("antivirus", "Microsoft Defender for Endpoint", "off", false),
		posture("remote_login", "OpenSSH", "off", false),
		posture("automatic_updates", "dnf-automatic", "on", true),
	}
	if diff := cmp.Diff(want, got, protocmp.Transform()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestUnknown: on another disk it is not known which services run.
func TestUnknown(t *testing.T) {
	t.Parallel()
	got, err := collect(t.Context(), hosttest.Tree(t, map[string]string{
		"/etc/os-release": "ID=debian\n", "/opt/sentinelone/": "",
	}))
	if err != nil {
		t.Error(err)
	}
	want := []proto.Message{
		&inventoryv1.SecurityPosture{Control: "firewall", State: "none installed"},
		&inventoryv1.SecurityPosture{Control: "antivirus", Product: "SentinelOne", State: "installed"},
	}
	if diff := cmp.Diff(want, got, protocmp.Transform()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if _, err := collect(t.Context(), hosttest.Tree(t, nil)); !errors.Is(err, host.ErrUnsupported) {
		t.Errorf("error %v, want %v", err, host.ErrUnsupported)
	}
}

func FuzzClamHeader(f *testing.F) {
	f.Add(clamHeaderText)
	f.Add("ClamAV-VDB:::::::::")
	f.Fuzz(func(t *testing.T, header string) {
		if _, at, ok := parseClamHeader(header); ok && at.Unix() <= 0 {
			t.Errorf("%q: %v", header, at)
		}
	})
}
