package operatingsystem

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/testing/protocmp"

	"github.com/musterhq/muster/agent/section/hosttest"
	inventoryv1 "github.com/musterhq/muster/proto/muster/inventory/v1"
)

// The recorded os-release files, compared with the result of /bin/sh for each of them.
func TestAssignmentsAreThoseOfTheShell(t *testing.T) {
	t.Parallel()
	dir := hosttest.Corpus(t, "os-release")
	for file, want := range expected(t, dir) {
		text, err := os.ReadFile(filepath.Join(dir, file))
		if err != nil {
			t.Fatal(err)
		}
		got := map[string]string{}
		vars := assignments(string(text))
		for name := range want {
			got[name] = vars[name]
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", file, diff)
		}
	}
}

// Each recorded file as /etc/os-release of a machine: name, ID, display name and version.
func TestRecordedReleases(t *testing.T) {
	t.Parallel()
	dir := hosttest.Corpus(t, "os-release")
	for file, vars := range expected(t, dir) {
		text, err := os.ReadFile(filepath.Join(dir, file))
		if err != nil {
			t.Fatal(err)
		}
		got := releaseOf(t, map[string]string{"/etc/os-release": string(text)})
		want := []string{vars["NAME"], vars["ID"], vars["VERSION_ID"], vars["PRETTY_NAME"], vars["BUILD_ID"]}
		if diff := cmp.Diff(want, []string{got.Name, got.Id, got.Version, got.DisplayName, got.Build}); diff != "" {
			t.Errorf("%s (-want +got):\n%s", file, diff)
		}
	}
}

func expected(t *testing.T, dir string) map[string]map[string]string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(dir, "expected.json"))
	if err != nil {
		t.Fatal(err)
	}
	var files map[string]map[string]string
	if err := json.Unmarshal(data, &files); err != nil {
		t.Fatal(err)
	}
	if len(files) == 0 {
		t.Fatal("nothing expected")
	}
	return files
}

func releaseOf(t *testing.T, files map[string]string) *inventoryv1.OperatingSystem {
	t.Helper()
	item := &inventoryv1.OperatingSystem{}
	if err := release(hosttest.Tree(t, files), item); err != nil {
		t.Fatal(err)
	}
	return item
}

func TestRelease(t *testing.T) {
	t.Parallel()
	const bookworm = "PRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\nNAME=\"Debian GNU/Linux\"\nVERSION_ID=\"12\"\nVERSION_CODENAME=bookworm\nID=debian\n"
	for name, tt := range map[string]struct {
		files map[string]string
		want  *inventoryv1.OperatingSystem
	}{
		"Debian's point release": {
			map[string]string{"/etc/os-release": "-> ../usr/lib/os-release", "/usr/lib/os-release": bookworm, "/etc/debian_version": "12.11\n"},
			&inventoryv1.OperatingSystem{Name: "Debian GNU/Linux", Id: "debian", Version: "12.11", Codename: "bookworm", DisplayName: "Debian GNU/Linux 12 (bookworm)"},
		},
		"only the file in /usr/lib": {
			map[string]string{"/usr/lib/os-release": "NAME=NixOS\nID=nixos\nVERSION_ID=24.05\nBUILD_ID=24.05.20240601.abc\n"},
			&inventoryv1.OperatingSystem{Name: "NixOS", Id: "nixos", Version: "24.05", Build: "24.05.20240601.abc"},
		},
		"Debian testing has no number": {
			map[string]string{"/etc/os-release": "NAME=\"Debian GNU/Linux\"\nID=debian\nVERSION_CODENAME=trixie\n", "/etc/debian_version": "trixie/sid\n"},
			&inventoryv1.OperatingSystem{Name: "Debian GNU/Linux", Id: "debian", Codename: "trixie"},
		},
		"Ubuntu keeps Debian's file": {
			map[string]string{"/etc/os-release": "NAME=Ubuntu\nID=ubuntu\nVERSION_ID=\"14.04\"\nVERSION=\"14.04.5 LTS, Trusty Tahr\"\n", "/etc/debian_version": "14.1\n", "/etc/lsb-release": "DISTRIB_ID=Ubuntu\nDISTRIB_RELEASE=14.04\nDISTRIB_CODENAME=trusty\n"},
			&inventoryv1.OperatingSystem{Name: "Ubuntu", Id: "ubuntu", Version: "14.04", Codename: "trusty"},
		},
		"an edition is no code name": {
			map[string]string{"/etc/os-release": "NAME=\"Fedora Linux\"\nID=fedora\nVERSION=\"39 (Silverblue)\"\nVERSION_ID=39\nVARIANT=\"Silverblue\"\nVARIANT_ID=silverblue\n"},
			&inventoryv1.OperatingSystem{Name: "Fedora Linux", Id: "fedora", Version: "39", Edition: "Silverblue"},
		},
		"CentOS 7's minor release": {
			map[string]string{"/etc/os-release": "NAME=\"CentOS Linux\"\nVERSION=\"7 (Core)\"\nID=\"centos\"\nVERSION_ID=\"7\"\n", "/etc/centos-release": "CentOS Linux release 7.8.2003 (Core)\n", "/etc/redhat-release": "-> centos-release"},
			&inventoryv1.OperatingSystem{Name: "CentOS Linux", Id: "centos", Version: "7.8.2003", Codename: "Core"},
		},
		"CentOS 6": {
			map[string]string{"/etc/centos-release": "CentOS release 6.9 (Final)\n", "/etc/redhat-release": "-> centos-release"},
			&inventoryv1.OperatingSystem{Name: "CentOS", Id: "centos", Version: "6.9", Codename: "Final", DisplayName: "CentOS release 6.9 (Final)"},
		},
		"Oracle's own file before Red Hat's": {
			map[string]string{"/etc/oracle-release": "Oracle Linux Server release 6.10\n", "/etc/redhat-release": "Red Hat Enterprise Linux Server release 6.10 (Santiago)\n"},
			&inventoryv1.OperatingSystem{Name: "Oracle Linux Server", Id: "ol", Version: "6.10", DisplayName: "Oracle Linux Server release 6.10"},
		},
		"Ubuntu of before os-release": {
			map[string]string{"/etc/lsb-release": "DISTRIB_ID=Ubuntu\nDISTRIB_RELEASE=10.04\nDISTRIB_CODENAME=lucid\nDISTRIB_DESCRIPTION=\"Ubuntu 10.04.4 LTS\"\n", "/etc/debian_version": "squeeze/sid\n"},
			&inventoryv1.OperatingSystem{Name: "Ubuntu", Id: "ubuntu", Version: "10.04", Codename: "lucid", DisplayName: "Ubuntu 10.04.4 LTS"},
		},
		"SUSE 11": {
			map[string]string{"/etc/SuSE-release": "SUSE Linux Enterprise Server 11 (x86_64)\nVERSION = 11\nPATCHLEVEL = 3\n"},
			&inventoryv1.OperatingSystem{Name: "SUSE Linux Enterprise Server 11", Version: "11.3", DisplayName: "SUSE Linux Enterprise Server 11 (x86_64)"},
		},
		"Debian 6": {
			map[string]string{"/etc/debian_version": "6.0.10\n"},
			&inventoryv1.OperatingSystem{Name: "Debian GNU/Linux", Id: "debian", Version: "6.0.10"},
		},
		"Alpine 2": {
			map[string]string{"/etc/alpine-release": "2.7.9\n"},
			&inventoryv1.OperatingSystem{Name: "Alpine Linux", Id: "alpine", Version: "2.7.9"},
		},
		"nothing": {map[string]string{"/etc/": ""}, &inventoryv1.OperatingSystem{}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(tt.want, releaseOf(t, tt.files), protocmp.Transform()); diff != "" {
				t.Errorf("release (-want +got):\n%s", diff)
			}
		})
	}
}
