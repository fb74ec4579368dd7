package patch

import (
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

const rollup = "Package_for_RollupFix~31bf3856ad364e35~amd64~~22621.2506.1.2"

// at is the time of the FILETIME with these halves.
const atHigh, atLow = uint32(31030000), uint32(1000)

var at = host.FileTime(uint64(atHigh)<<32 | uint64(atLow))

func TestWindows(t *testing.T) {
	t.Parallel()
	pack := func(state uint32) map[string]any {
		return map[string]any{"CurrentState": state, "InstallTimeHigh": atHigh, "InstallTimeLow": atLow}
	}
	r := hosttest.Registry(t, map[string]map[string]any{
		currentVersion:           {"SystemRoot": `C:\Windows`},
		servicing + `\` + rollup: pack(installed),
		servicing + `\Package_for_RollupFix~31bf3856ad364e35~amd64~~22621.9999.1.1`:          pack(installPending),
		servicing + `\Package_for_KB5029921~31bf3856ad364e35~amd64~~22621.1.1.0`:             pack(installed),
		servicing + `\Package_for_KB5029921~31bf3856ad364e35~x86~~22621.1.1.0`:               pack(installPending),
		servicing + `\Package_1_for_KB5029921~31bf3856ad364e35~amd64~~22621.1.1.0`:           pack(installed),
		servicing + `\Package_for_KB5000001~31bf3856ad364e35~amd64~~22621.1.1.0`:             pack(0x50), // replaced
		servicing + `\Microsoft-Windows-Foundation-Package~31bf3856ad364e35~amd64~~10.0.1.1`: pack(installed),
		installerProducts + `\00006109\Patches\A1`: {
			"DisplayName": "Security Update for Microsoft Excel 2016 (KB4011684) 64-Bit Edition", "State": uint32(1), "Installed": "20200304",
		},
		installerProducts + `\00006109\Patches\A2`: {"DisplayName": "Replaced (KB4011000)", "State": uint32(2)},
		installerProducts + `\00006109\Patches\A3`: {"DisplayName": "Example 1.1", "State": uint32(1), "Installed": "today"},
		installerProducts + `\0001`:                {},
	})
	h := hosttest.WindowsMachine(t, r, nil)
	items, err := collect(t.Context(), h)
	if err != nil {
		t.Fatal(err)
	}
	when := timestamppb.New(at)
	want := []proto.Message{
		&inventoryv1.Patch{Id: "KB5029921", Source: "cbs", State: "installed", Version: "22621.1.1.0", InstalledOn: when},
		&inventoryv1.Patch{Id: "RollupFix 22621.2506.1.2", Source: "cbs", State: "installed", Version: "22621.2506.1.2", InstalledOn: when},
		&inventoryv1.Patch{Id: "RollupFix 22621.9999.1.1", Source: "cbs", State: "reboot", Version: "22621.9999.1.1"},
		&inventoryv1.Patch{Id: "Example 1.1", Source: "msi", Title: "Example 1.1", State: "installed"},
		&inventoryv1.Patch{
			Id: "KB4011684", Source: "msi", Title: "Security Update for Microsoft Excel 2016 (KB4011684) 64-Bit Edition", State: "installed",
			InstalledOn: timestamppb.New(time.Date(2020, time.March, 4, 0, 0, 0, 0, time.UTC)),
		},
	}
	if diff := cmp.Diff(want, items, protocmp.Transform()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestWindowsManifest: the number of a cumulative update is in its manifest alone.
func TestWindowsManifest(t *testing.T) {
	t.Parallel()
	h := hosttest.Tree(t, map[string]string{"/Windows/servicing/Packages/" + rollup + ".mum": `<?xml version="1.0" encoding="utf-8"?>
<assembly xmlns="urn:schemas-microsoft-com:asm.v3" manifestVersion="1.0" displayName="default">
  <assemblyIdentity name="Package_for_RollupFix" version="22621.2506.1.2" />
  <package identifier="KB5031455" applicabilityEvaluation="deep" releaseType="Security Update" restart="possible">`})
	w := windowsUpdates{host: h}
	got := w.describe("/Windows", rollup)
	if diff := cmp.Diff(&inventoryv1.Patch{Id: "KB5031455", Kind: "security"}, got, protocmp.Transform()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	for releaseType, want := range map[string]string{"Update": "update", "Hotfix": "hotfix", "Critical Update": "critical", "Service Pack": "service pack"} {
		if got := kind(releaseType); got != want {
			t.Errorf("%s: got %s, want %s", releaseType, got, want)
		}
	}
}
