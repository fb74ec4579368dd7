package security

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/testing/protocmp"

	"github.com/musterhq/muster/agent/host"
	"github.com/musterhq/muster/agent/section/hosttest"
	inventoryv1 "github.com/musterhq/muster/proto/muster/inventory/v1"
)

func dict(text string) string {
	return `<?xml version="1.0" encoding="UTF-8"?><plist version="1.0"><dict>` + text + `</dict></plist>`
}

func macPosture(control, product, state string) *inventoryv1.SecurityPosture {
	item := &inventoryv1.SecurityPosture{Control: control, Product: product, State: state}
	if state == "on" || state == "off" {
		item.Enabled = proto.Bool(state == "on")
	}
	return item
}

func TestCollectMac(t *testing.T) {
	t.Parallel()
	h, err := host.Replay(hosttest.Recording(t, "darwin", map[string]string{
		"/System/Library/CoreServices/XProtect.bundle/Contents/Info.plist": dict(
			`<key>CFBundleShortVersionString</key><string>2103</string>`),
		"/Library/Apple/System/Library/CoreServices/XProtect.bundle/Contents/Info.plist": dict(
			`<key>CFBundleShortVersionString</key><string>2191</string>`),
		"/Applications/Falcon.app/Contents/Info.plist": dict(
			`<key>CFBundleShortVersionString</key><string>7.14</string><key>LSUIElement</key><true/>`),
		"/Library/Ossec/": "",
		disabledServices:  dict(`<key>com.openssh.sshd</key><false/><key>com.apple.ftpd</key><true/>`),
		macPreferences + "com.apple.SoftwareUpdate.plist": dict(
			`<key>AutomaticallyInstallMacOSUpdates</key><false/><key>CriticalUpdateInstall</key><integer>1</integer>`),
		managedPreferences + "com.apple.SoftwareUpdate.plist": dict(`<key>AutomaticallyInstallMacOSUpdates</key><true/>`),
		managedPreferences + "com.apple.screensaver.plist":    dict(`<key>askForPassword</key><integer>1</integer>`),
	}, []hosttest.Call{
		{Call: "firmware profile", Value: `{"SPHardwareDataType": [{"boot_rom_version": "1"}],
"SPiBridgeDataType": [{"ibridge_secure_boot": "Permissive Security"}]}`},
		{Call: "integrity status", Value: "System Integrity Protection status: enabled.\n"},
		{Call: "Gatekeeper status", Value: "assessments disabled\n"},
		{Call: "application firewall", Value: "Firewall is enabled. (State = 1)\n"},
		{Call: "mounts", Value: []map[string]any{{"Point": "/", "Device": "/dev/disk3s1s1", "Type": "apfs", "Local": true}}},
		{Call: "APFS volumes", Value: dict(`<key>Containers</key><array><dict><key>Volumes</key><array><dict>
<key>DeviceIdentifier</key><string>disk3s1</string><key>FileVault</key><true/></dict></array></dict></array>`)},
	}))
	if err != nil {
		t.Fatal(err)
	}
	got, err := collect(t.Context(), h)
	if err != nil {
		t.Error(err)
	}
	signatures, falcon, disk := macPosture("antivirus", "XProtect", "installed"), macPosture("antivirus", "CrowdStrike Falcon", "installed"), macPosture("disk_encryption", "", "on")
	signatures.SignatureVersion, falcon.Version, disk.Detail = "2191", "7.14", "filevault"
	want := []proto.Message{
		macPosture("secure_boot", "", "off"), macPosture("system_integrity_protection", "", "on"), disk,
		macPosture("application_control", "Gatekeeper", "off"), macPosture("firewall", "Application Firewall", "on"),
		signatures, falcon, macPosture("antivirus", "Wazuh", "installed"),
		macPosture("remote_login", "OpenSSH", "on"), macPosture("remote_login", "Screen Sharing", "off"),
		macPosture("automatic_updates", "Software Update", "on"), macPosture("automatic_updates", "Security Responses", "on"),
		macPosture("screen_lock", "", "on"),
	}
	if diff := cmp.Diff(want, got, protocmp.Transform()); diff != "" {
		t.Errorf("protections (-want +got):\n%s", diff)
	}
}

// TestMacOfUnknownState: the agent reports no state for words that it does not know.
func TestMacOfUnknownState(t *testing.T) {
	t.Parallel()
	h, err := host.Replay(hosttest.Recording(t, "darwin", map[string]string{
		managedPreferences + "com.apple.screensaver.plist": "bplist00",
	}, []hosttest.Call{
		{Call: "firmware profile", Value: `{"SPHardwareDataType": [{"boot_rom_version": "1"}],
"SPiBridgeDataType": [{"ibridge_secure_boot": "Sécurité maximale"}]}`},
		{Call: "integrity status", Value: "System Integrity Protection status: unknown (Custom Configuration).\n"},
		{Call: "Gatekeeper status", Value: ""},
	}))
	if err != nil {
		t.Fatal(err)
	}
	items, err := collect(t.Context(), h)
	if len(items) > 0 || err == nil || !strings.Contains(err.Error(), "com.apple.screensaver.plist") {
		t.Errorf("%v, error %v", items, err)
	}
}
