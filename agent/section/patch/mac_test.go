package patch

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/testing/protocmp"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/musterhq/muster/agent/host"
	"github.com/musterhq/muster/agent/section/hosttest"
	inventoryv1 "github.com/musterhq/muster/proto/muster/inventory/v1"
)

const head = `<?xml version="1.0" encoding="UTF-8"?><plist version="1.0">`

func entry(date, name, version, process, more string) string {
	return `<dict><key>date</key><date>` + date + `</date><key>displayName</key><string>` + name +
		`</string><key>displayVersion</key><string>` + version + `</string><key>processName</key><string>` + process +
		`</string>` + more + `</dict>`
}

const configData = `<key>contentType</key><string>config-data</string>`

func TestCollectMac(t *testing.T) {
	t.Parallel()
	h := hosttest.Tree(t, map[string]string{
		host.MacRelease: head + "<dict/></plist>",
		installHistory: head + "<array>" +
			entry("2024-04-17T01:25:11Z", "macOS 14.4", "14.4", "softwareupdated", "") +
			entry("2024-05-01T10:00:00Z", "XProtectPlistConfigData", "2191", "softwareupdated", configData) +
			entry("2023-10-07T20:09:37Z", "XProtectPlistConfigData", "2173", "softwareupdated", configData) +
			entry("2024-07-25T02:38:09Z", "WhatsApp", "24.14.85", "appstoreagent", "") +
			entry("2024-07-25T02:38:09Z", "", "1", "softwareupdated", "") + "</array></plist>",
		softwareUpdate: head + `<dict><key>AutomaticDownload</key><true/><key>RecommendedUpdates</key><array><dict>
<key>Display Name</key><string>macOS Sonoma 14.5</string><key>Display Version</key><string>14.5</string>
<key>Identifier</key><string>MSU_UPDATE_23F79_patch_14.5_minor</string><key>MobileSoftwareUpdate</key><true/></dict>
<dict/></array></dict></plist>`,
	})
	got, err := collect(t.Context(), h)
	if err != nil {
		t.Error(err)
	}
	at := func(seconds int64) *timestamppb.Timestamp { return &timestamppb.Timestamp{Seconds: seconds} }
	want := []proto.Message{
		&inventoryv1.Patch{
			Id: "XProtectPlistConfigData", Source: "software_update", Kind: "data", State: "installed", Version: "2191",
			InstalledOn: at(1714557600),
		},
		&inventoryv1.Patch{
			Id: "macOS 14.4", Source: "software_update", Kind: "update", State: "installed", Version: "14.4",
			InstalledOn: at(1713317111),
		},
		&inventoryv1.Patch{
			Id: "MSU_UPDATE_23F79_patch_14.5_minor", Source: "software_update", Kind: "update", State: "pending",
			Title: "macOS Sonoma 14.5", Version: "14.5",
		},
	}
	if diff := cmp.Diff(want, got, protocmp.Transform()); diff != "" {
		t.Errorf("updates (-want +got):\n%s", diff)
	}
}

func TestDamagedHistory(t *testing.T) {
	t.Parallel()
	h := hosttest.Tree(t, map[string]string{host.MacRelease: "", installHistory: "bplist00", softwareUpdate: head + "<dict/></plist>"})
	if items, err := collect(t.Context(), h); err == nil || len(items) > 0 {
		t.Errorf("%v, error %v", items, err)
	}
}

func FuzzUpdates(f *testing.F) {
	f.Add([]byte(head + "<array>" + entry("2024-04-17T01:25:11Z", "macOS 14.4", "14.4", "softwareupdated", configData) + "</array></plist>"))
	f.Add([]byte(`{ RecommendedUpdates = ( { Identifier = a; } ); }`))
	f.Fuzz(func(_ *testing.T, data []byte) {
		_, _ = installedUpdates(data)
		_, _ = pendingUpdates(data)
	})
}
