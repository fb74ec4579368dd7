package operatingsystem

import (
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/testing/protocmp"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/musterhq/muster/agent/section/hosttest"
	inventoryv1 "github.com/musterhq/muster/proto/muster/inventory/v1"
)

func TestWindows(t *testing.T) {
	t.Parallel()
	installed := time.Date(2023, time.May, 4, 10, 20, 30, 0, time.UTC)
	h := hosttest.Windows(t, map[string]map[string]any{
		currentVersion: {
			"ProductName": "Windows 10 Pro", "EditionID": "Professional", "DisplayVersion": "23H2", "ReleaseId": "2009",
			"CurrentBuildNumber": "22631", "UBR": uint32(3007), "CurrentVersion": "6.3", "CurrentMajorVersionNumber": uint32(10),
			"CurrentMinorVersionNumber": uint32(0), "InstallDate": uint32(installed.Unix()), "ProductId": "00330-80000-00000-AA123",
		},
		cryptography:  {"MachineGuid": "F1E2D3C4-0000-4000-8000-123456789ABC"},
		timeZone:      {"TimeZoneKeyName": "W. Europe Standard Time\x00\x00junk"},
		tcpip:         {"NV Hostname": "PC-0042", "NV Domain": "example.com"},
		international: {"LocaleName": "de-CH"},
	})
	items, err := collect(t.Context(), h)
	if err != nil {
		t.Fatal(err)
	}
	want := []proto.Message{&inventoryv1.OperatingSystem{
		Id: "windows", Name: "Windows 11", DisplayName: "Microsoft Windows 11 Pro", Edition: "Professional", Version: "23H2",
		Build: "22631.3007", Kernel: "10.0.22631.3007", InstallId: "f1e2d3c4-0000-4000-8000-123456789abc",
		ProductId: "00330-80000-00000-AA123", Timezone: "W. Europe Standard Time", Locale: "de-CH", Hostname: "PC-0042",
		Fqdn: "PC-0042.example.com", InstallDate: timestamppb.New(installed),
	}}
	if diff := gocmp.Diff(want, items, protocmp.Transform()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestWindowsReleases(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		values                       map[string]any
		name, version, build, kernel string
	}{
		{map[string]any{"ProductName": "Windows Server 2012 R2 Standard", "CurrentVersion": "6.3", "CurrentBuildNumber": "9600"},
			"Windows Server 2012 R2", "", "9600", "6.3.9600"},
		{map[string]any{"ProductName": "Microsoft Windows XP", "CSDVersion": "Service Pack 3", "CurrentVersion": "5.1", "CurrentBuildNumber": "2600"},
			"Windows XP", "Service Pack 3", "2600", "5.1.2600"},
		{map[string]any{"ProductName": "Windows 8.1 Pro", "CurrentBuildNumber": "9600"}, "Windows 8.1", "", "9600", ""},
		{map[string]any{"ProductName": "Hyper-V Server 2016", "ReleaseId": "1607"}, "Hyper-V Server 2016", "1607", "", ""},
		{map[string]any{"ProductName": "Windows Server 2022 Datacenter", "CurrentBuildNumber": "20348", "DisplayVersion": "21H2"},
			"Windows Server 2022", "21H2", "20348", ""},
		{map[string]any{"ProductName": "Windows 7 Ultimate", "CurrentBuildNumber": "7601", "UBR": "x"}, "Windows 7", "", "7601", ""},
	} {
		h := hosttest.Windows(t, map[string]map[string]any{currentVersion: test.values})
		items, err := collect(t.Context(), h)
		if err != nil {
			t.Fatal(err)
		}
		os := items[0].(*inventoryv1.OperatingSystem)
		if os.Name != test.name || os.Version != test.version || os.Build != test.build || os.Kernel != test.kernel {
			t.Errorf("%v: got %v", test.values, os)
		}
	}
}

func TestPendingRestart(t *testing.T) {
	t.Parallel()
	for _, path := range pendingRestarts {
		os := &inventoryv1.OperatingSystem{}
		if err := reboot(hosttest.Windows(t, map[string]map[string]any{path: {}}), os); err != nil || !os.GetRebootRequired() {
			t.Errorf("%s: %v, error %v", path, os.RebootRequired, err)
		}
	}
	os := &inventoryv1.OperatingSystem{}
	if err := reboot(hosttest.Windows(t, nil), os); err != nil || os.RebootRequired != nil {
		t.Errorf("without a key: %v, error %v", os.RebootRequired, err)
	}
}
