package software

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"

	"github.com/musterhq/muster/agent/host"
	"github.com/musterhq/muster/agent/section/hosttest"
	inventoryv1 "github.com/musterhq/muster/proto/muster/inventory/v1"
)

// versions returns `name[:arch] version state` of the items, in their order.
func versions(items []*inventoryv1.Software) (got []string) {
	for _, s := range items {
		name := s.GetName()
		if s.GetArch() != "" {
			name += ":" + s.GetArch()
		}
		got = append(got, strings.TrimSpace(name+" "+s.GetVersion()+" "+s.GetState()))
	}
	return got
}

func paragraph(name, arch, version, state string) string {
	return "Package: " + name + "\nStatus: " + state + "\nArchitecture: " + arch + "\nVersion: " + version +
		"\nDescription: what it is\n more of it\n .\n Version: not this one\n\n"
}

func TestDpkgStatus(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, status string
		want         []string
		wantErr      string // a part of it; empty: none
	}{
		{
			name:   "held and pinned packages are installed",
			status: paragraph("a", "amd64", "1", "hold ok installed") + paragraph("b", "all", "2", "deinstall reinstreq installed"),
			want:   []string{"a:amd64 1", "b:all 2"},
		},
		{
			name: "removed packages are not",
			status: paragraph("a", "amd64", "1", "deinstall ok config-files") + paragraph("b", "all", "", "purge ok not-installed") +
				paragraph("c", "all", "3", "install ok installed"),
			want: []string{"c:all 3"},
		},
		{
			name: "only a package in between makes the list partial",
			status: paragraph("a", "all", "1", "install ok unpacked") + paragraph("b", "all", "2", "install ok installed") +
				paragraph("c", "all", "3", "install ok half-configured") + paragraph("d", "all", "4", "purge ok half-installed"),
			want:    []string{"a:all 1 unpacked", "b:all 2", "c:all 3 half-configured"},
			wantErr: "1 packages partly installed or removed: d is half-installed",
		},
		{
			name:   "one package for two architectures is two",
			status: paragraph("libc6", "amd64", "2.36-9+deb12u7", "install ok installed") + paragraph("libc6", "i386", "2.36-9+deb12u7", "install ok installed"),
			want:   []string{"libc6:amd64 2.36-9+deb12u7", "libc6:i386 2.36-9+deb12u7"},
		},
		{
			name:   "epochs and tildes are part of the version",
			status: paragraph("vim", "amd64", "2:9.0~rc1-1+b2", "install ok installed"),
			want:   []string{"vim:amd64 2:9.0~rc1-1+b2"},
		},
		{
			name:   "DOS line ends, odd case and missing spaces are read all the same",
			status: "PACKAGE:a\r\nstatus:install ok installed\r\nVersion:\t1\r\n\r\n\r\n",
			want:   []string{"a 1"},
		},
		{
			name:   "a package without a version is still there",
			status: "Package: a\nStatus: install ok installed\n\n",
			want:   []string{"a"},
		},
		{
			name:    "a paragraph without a name spoils no other",
			status:  "Status: install ok installed\nVersion: 1\n\n" + paragraph("b", "all", "2", "install ok installed"),
			want:    []string{"b:all 2"},
			wantErr: "1 broken paragraphs: line 3: no package name",
		},
		{
			name:    "two paragraphs run into one",
			status:  strings.TrimSuffix(paragraph("a", "all", "1", "install ok installed"), "\n") + paragraph("b", "all", "2", "install ok installed"),
			want:    []string{"a:all 1"},
			wantErr: "second value of Package",
		},
		{
			name:   "a long line that nobody wants does no harm",
			status: "Package: a\nDepends: " + strings.Repeat("x, ", 100_000) + "\nStatus: install ok installed\n\n",
			want:   []string{"a"},
		},
		{
			name:    "a value that is too long is no value",
			status:  "Package: a\nStatus: install ok installed\nVersion: " + strings.Repeat("1", 100_000) + "\n\n" + paragraph("b", "all", "2", "install ok installed"),
			want:    []string{"a", "b:all 2"},
			wantErr: "line 3: line too long",
		},
		{
			name:    "a file full of zeros",
			status:  strings.Repeat("\x00", 100_000),
			wantErr: "status ends within a paragraph",
		},
		{
			name:    "cut off within a line",
			status:  paragraph("a", "all", "1", "install ok installed") + "Package: b\nStatus: install ok inst",
			want:    []string{"a:all 1"},
			wantErr: "status ends within a paragraph",
		},
		{
			name:    "cut off after a line",
			status:  paragraph("a", "all", "1", "install ok installed") + "Package: b\nStatus: install ok installed\n",
			want:    []string{"a:all 1", "b"},
			wantErr: "status ends within a paragraph",
		},
		{name: "nothing was ever installed", status: ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			root := t.TempDir()
			write(t, root, dpkgStatus, test.status)
			items, err := inventory(t, root)
			if diff := cmp.Diff(test.want, versions(items)); diff != "" {
				t.Errorf("items (-want +got):\n%s", diff)
			}
			if message := errorText(err); message != "" && test.wantErr == "" || !strings.Contains(message, test.wantErr) {
				t.Errorf("error = %q, want %q", message, test.wantErr)
			}
		})
	}
}

func errorText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// TestDpkgCutOff: wherever a status file is truncated, the list is complete or reported as
// incomplete, except for a cut between two paragraphs, which cannot be detected.
func TestDpkgCutOff(t *testing.T) {
	t.Parallel()
	whole := paragraph("a", "all", "1", "install ok installed") + paragraph("b", "all", "2", "install ok installed")
	for end := 1; end < len(whole); end++ {
		if strings.HasSuffix(whole[:end], "\n\n") {
			continue
		}
		root := t.TempDir()
		write(t, root, dpkgStatus, whole[:end])
		if items, err := inventory(t, root); err == nil {
			t.Errorf("cut off after %q: %d packages and no error", whole[:end], len(items))
		}
	}
}

// TestDpkgUnfinished: packages whose files are on the disk are software, also if they stay
// unconfigured.
func TestDpkgUnfinished(t *testing.T) {
	t.Parallel()
	messages, err := Collector().Collect(t.Context(), hosttest.Case(t, "dpkg-unfinished", "root"))
	var items []*inventoryv1.Software
	for _, m := range messages {
		items = append(items, m.(*inventoryv1.Software))
	}
	want := []string{
		"held:amd64 1.2", "initramfs-tools:amd64 0.142 triggers-awaited", "libc6:amd64 2.36-9",
		"linux-image-6.1.0-21-amd64:amd64 6.1.90-1 half-configured", "man-db:amd64 2.11.2-2 triggers-pending",
		"nvidia-dkms:amd64 535.1-1 unpacked",
	}
	if diff := cmp.Diff(want, sortedStrings(versions(items))); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if got := errorText(err); !strings.Contains(got, "1 packages partly installed or removed: broken is half-installed") {
		t.Errorf("error = %q", got)
	}
}

func TestDpkgEmptiedStatus(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	write(t, root, dpkgStatus, "")
	write(t, root, dpkgInfo+"/bash.list", "/.\n")
	items, err := inventory(t, root)
	if len(items) > 0 || !strings.Contains(errorText(err), "status is empty") {
		t.Errorf("items = %v, error = %v", items, err)
	}
}

func TestDpkgUpdates(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	const installed = "install ok installed"
	write(t, root, dpkgStatus, paragraph("kept", "all", "1", installed)+paragraph("removed", "all", "1", installed)+
		paragraph("upgraded", "amd64", "1", installed)+paragraph("upgraded", "i386", "1", installed))
	write(t, root, dpkgUpdates+"/0000", paragraph("upgraded", "amd64", "2", "install ok unpacked"))
	write(t, root, dpkgUpdates+"/0001", paragraph("upgraded", "amd64", "2", installed))
	write(t, root, dpkgUpdates+"/0002", paragraph("removed", "all", "1", "deinstall ok config-files"))
	write(t, root, dpkgUpdates+"/tmp.i", paragraph("unfinished", "all", "1", installed))
	items, err := inventory(t, root)
	if err != nil {
		t.Error(err)
	}
	want := []string{"kept:all 1", "upgraded:amd64 2", "upgraded:i386 1"}
	if diff := cmp.Diff(want, sortedStrings(versions(items))); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestDistrolessParts(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	write(t, root, dpkgParts+"/base", "Package: base-files\nVersion: 12.4\nArchitecture: amd64")
	write(t, root, dpkgParts+"/base.md5sums", "d41d8cd98f00b204e9800998ecf8427e  etc/passwd\n")
	write(t, root, dpkgParts+"/tzdata", "Package: tzdata\nVersion: 2024a\nArchitecture: all\n\n")
	items, err := inventory(t, root)
	if err != nil {
		t.Error(err)
	}
	if diff := cmp.Diff([]string{"base-files:amd64 12.4", "tzdata:all 2024a"}, versions(items)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestDpkgItem(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	write(t, root, "/usr/lib/os-release", "ID=ubuntu\nVERSION_ID=\"24.04\"\nVERSION_CODENAME=noble\n")
	if err := os.MkdirAll(filepath.Join(root, "etc"), 0o750); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("/usr/lib/os-release", filepath.Join(root, "etc/os-release")); err != nil {
		t.Skip(err)
	}
	write(t, root, dpkgStatus, "Package: libc6\nStatus: install ok installed\nInstalled-Size: 13008\nMaintainer: B\xe9la <b@example.org>\n"+
		"Architecture: amd64\nMulti-Arch: same\nVersion: 1:2.39-0ubuntu8.4+b1\n\n")
	write(t, root, dpkgInfo+"/libc6:amd64.list", "/.\n")
	at := time.Date(2024, 5, 6, 7, 8, 9, 10, time.UTC)
	if err := os.Chtimes(filepath.Join(root, dpkgInfo, "libc6:amd64.list"), at, at); err != nil {
		t.Fatal(err)
	}
	items, err := inventory(t, root)
	if err != nil || len(items) != 1 {
		t.Fatalf("items = %v, error = %v", items, err)
	}
	s := items[0]
	got := []string{s.GetSource(), s.GetPublisher(), s.GetPurl(), s.GetInstallDate().AsTime().Format(time.RFC3339Nano), s.GetScope()}
	want := []string{"dpkg", "B\uFFFDla <b@example.org>", "pkg:deb/ubuntu/libc6@1:2.39-0ubuntu8.4%2Bb1?arch=amd64&distro=noble", "2024-05-06T07:08:09Z", ""}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if s.GetSizeBytes() != 13008*1024 {
		t.Errorf("size = %d", s.GetSizeBytes())
	}
	if _, err := proto.Marshal(s); err != nil {
		t.Errorf("marshal: %v", err)
	}
}

// TestDpkgQuery compares the list with dpkg-query on this machine.
func TestDpkgQuery(t *testing.T) {
	t.Parallel()
	query, err := exec.LookPath("dpkg-query")
	if err != nil {
		t.Skip("this machine has no dpkg-query")
	}
	out, err := exec.CommandContext(t.Context(), query, "-W", "-f", "${db:Status-Status} ${Package}:${Architecture} ${Version}\n").Output()
	if err != nil {
		t.Skip(err)
	}
	var want []string
	for line := range bytes.Lines(out) {
		switch state, rest, _ := strings.Cut(strings.TrimSpace(string(line)), " "); state {
		case dpkgInstalled:
			want = append(want, rest)
		case dpkgNotInstalled, dpkgConfigFiles, "half-installed":
		default:
			want = append(want, rest+" "+state)
		}
	}
	h := host.Local()
	l := newList(readRelease(h))
	if err := collectDpkg(t.Context(), h, l); err != nil && !errors.Is(err, errAbsent) {
		t.Error(err)
	}
	var got []*inventoryv1.Software
	for _, m := range l.items {
		got = append(got, m.(*inventoryv1.Software))
	}
	if diff := cmp.Diff(sortedStrings(want), sortedStrings(versions(got))); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func sortedStrings(s []string) []string {
	slices.Sort(s)
	return s
}
