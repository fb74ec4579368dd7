package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/musterhq/muster/agent/host"
	"github.com/musterhq/muster/agent/section/hosttest"
)

const plistHead = `<?xml version="1.0" encoding="UTF-8"?><plist version="1.0">`

func infoPlist(version string) string {
	return plistHead + `<dict><key>CFBundleExecutable</key><string>main</string>
<key>CFBundleShortVersionString</key><string>` + version + `</string></dict></plist>`
}

const platformExpert = plistHead + `<array><dict>
<key>IOPlatformSerialNumber</key><string>C02QM3FSFVH8</string>
<key>IOPlatformUUID</key><string>CE3A2773-AF9E-515B-918B-5EE5C09372D7</string>
<key>manufacturer</key><data>QXBwbGUgSW5jLgA=</data>
<key>model</key><data>TWFjQm9va1BybzEyLDEA</data>
</dict></array></plist>`

const firmwareProfile = plistHead + `<array>
<dict><key>_dataType</key><string>SPHardwareDataType</string><key>_items</key><array><dict>
<key>boot_rom_version</key><string>10151.101.3</string><key>chip_type</key><string>Apple M1 Pro</string></dict></array></dict>
<dict><key>_dataType</key><string>SPiBridgeDataType</string><key>_items</key><array><dict>
<key>ibridge_secure_boot</key><string>Full Security</string></dict></array></dict>
</array></plist>`

const memoryProfile = plistHead + `<array>
<dict><key>_dataType</key><string>SPMemoryDataType</string><key>_items</key><array><dict>
<key>SPMemoryDataType</key><string>16 GB</string><key>dimm_type</key><string>LPDDR5</string>
<key>dimm_manufacturer</key><string>Hynix</string></dict></array></dict>
</array></plist>`

const disksProfile = plistHead + `<array>
<dict><key>_dataType</key><string>SPNVMeDataType</string><key>_items</key><array><dict><key>_items</key><array><dict>
<key>_name</key><string>APPLE SSD AP0512R</string><key>bsd_name</key><string>disk0</string>
<key>device_model</key><string>APPLE SSD AP0512R</string><key>device_serial</key><string>0ba0123456789abc</string>
<key>device_revision</key><string>874.100.</string><key>size_in_bytes</key><integer>500277792768</integer>
<key>detachable_drive</key><string>no</string></dict></array></dict></array></dict></array></plist>`

const displaysProfile = plistHead + `<array>
<dict><key>_dataType</key><string>SPDisplaysDataType</string><key>_items</key><array><dict>
<key>spdisplays_ndrvs</key><array>
<dict><key>_name</key><string>Color LCD</string><key>_spdisplays_display-vendor-id</key><string>610</string>
<key>_spdisplays_display-product-id</key><string>a045</string><key>_spdisplays_display-serial-number</key><string>fd626d62</string>
<key>_spdisplays_pixels</key><string>3024 x 1964</string><key>spdisplays_connection_type</key><string>spdisplays_internal</string></dict>
<dict><key>_name</key><string>DELL U2720Q</string><key>_spdisplays_display-vendor-id</key><string>10ac</string>
<key>_spdisplays_display-product-id</key><string>d0d7</string><key>spdisplays_display-serial-number</key><string>5FP1S13</string>
<key>_spdisplays_display-year</key><string>2020</string><key>_spdisplays_display-week</key><string>12</string></dict>
</array></dict></array></dict></array></plist>`

const apfsVolumes = plistHead + `<dict><key>Containers</key><array><dict><key>Volumes</key><array>
<dict><key>DeviceIdentifier</key><string>disk3s1</string><key>Name</key><string>Macintosh HD</string>
<key>APFSVolumeUUID</key><string>11111111-2222-3333-4444-555555555555</string><key>FileVault</key><true/></dict>
<dict><key>DeviceIdentifier</key><string>disk3s5</string><key>Name</key><string>Data</string>
<key>APFSVolumeUUID</key><string>AAAAAAAA-2222-3333-4444-555555555555</string><key>FileVault</key><true/></dict>
</array></dict></array></dict></plist>`

// mac returns the recording of a Mac.
func mac(t *testing.T) string {
	t.Helper()
	const universalHead = "\xCA\xFE\xBA\xBE\x00\x00\x00\x02"
	const arm64Head = "\xCF\xFA\xED\xFE\x0C\x00\x00\x01"
	files := map[string]string{
		"/System/Library/CoreServices/SystemVersion.plist": plistHead + `<dict><key>ProductName</key><string>macOS</string>
<key>ProductVersion</key><string>14.4.1</string><key>ProductBuildVersion</key><string>23E224</string></dict></plist>`,
		"/etc/localtime": "-> /var/db/timezone/zoneinfo/Europe/Rome",
		"/Applications/Firefox.app/Contents/Info.plist":                   infoPlist("130.0.1"),
		"/Applications/Firefox.app/Contents/MacOS/main":                   universalHead,
		"/Applications/Tools/Deep.app/Contents/Info.plist":                `{ CFBundleVersion = "42"; }`,
		"/Applications/Broken.app/Contents/Info.plist":                    "bplist00",
		"/Applications/Empty.app/":                                        "",
		"/Applications/Linked.app/Contents/Info.plist":                    "-> /etc/localtime",
		"/Applications/Outside.app":                                       "-> Firefox.app",
		"/System/Applications/Utilities/Terminal.app/Contents/Info.plist": infoPlist("2.14"),
		"/Users/ann/Applications/Game.app/Contents/Info.plist":            infoPlist("1.0"),
		"/Users/ann/Applications/Game.app/Contents/MacOS/main":            arm64Head,
		"/Users/bob/Applications":                                         "-> /Applications",
		"/var/db/receipts/com.example.pkg.plist": plistHead + `<dict><key>PackageIdentifier</key><string>com.example.pkg</string>
<key>PackageVersion</key><string>3.1</string><key>InstallDate</key><date>2025-05-06T07:08:09Z</date>
<key>InstallPrefixPath</key><string>opt</string></dict></plist>`,
		"/opt/homebrew/Cellar/rclone/1.67.0/INSTALL_RECEIPT.json":   `{"time": 1722991679, "arch": "arm64"}`,
		"/opt/homebrew/Caskroom/firefox/130.0.1/firefox.app/":       "",
		"/opt/homebrew/Caskroom/firefox/.metadata/130.0.1/a/b.json": "{}",
		"/Library/LaunchDaemons/com.example.agent.plist":            `{ Label = "com.example.agent"; RunAtLoad = 1; }`,
		"/Library/Receipts/InstallHistory.plist": plistHead + `<array><dict><key>date</key><date>2024-04-17T01:25:11Z</date>
<key>displayName</key><string>macOS 14.4</string><key>displayVersion</key><string>14.4</string>
<key>processName</key><string>softwareupdated</string></dict></array></plist>`,
		"/etc/cups/printers.conf": "<DefaultPrinter Office>\nDeviceURI ipp://printer.example.com/ipp/print\n</DefaultPrinter>\n",
	}
	return hosttest.Recording(t, "darwin", files, []hosttest.Call{
		{Call: "kernel", Value: map[string]string{"Hostname": "ann.local", "Release": "23.4.0", "Arch": "arm64"}},
		{Call: "platform expert", Value: platformExpert},
		{Call: "firmware profile", Value: firmwareProfile},
		{Call: "memory profile", Value: memoryProfile},
		{Call: "disks profile", Value: disksProfile},
		{Call: "displays profile", Value: displaysProfile},
		{Call: "APFS volumes", Value: apfsVolumes},
		{Call: "PCI registry", Value: plistHead + `<array><dict><key>pcidebug</key><string>0:0:0(1:1)</string>
<key>vendor-id</key><data>axAAAA==</data><key>device-id</key><data>DBAAAA==</data><key>class-code</key><data>AAQGAA==</data></dict></array></plist>`},
		{Call: "USB registry", Value: plistHead + `<array><dict><key>locationID</key><integer>1048576</integer>
<key>idVendor</key><integer>1452</integer><key>idProduct</key><integer>591</integer></dict></array></plist>`},
		{Call: "battery registry", Value: plistHead + `<array><dict><key>BatteryInstalled</key><true/><key>Serial</key><string>F5D1234</string>
<key>CycleCount</key><integer>36</integer><key>DesignCapacity</key><integer>8579</integer></dict></array></plist>`},
		{Call: "directory users", Value: plistHead + `<array><dict><key>dsAttrTypeStandard:RecordName</key><array><string>ann</string></array>
<key>dsAttrTypeStandard:UniqueID</key><array><string>501</string></array>
<key>dsAttrTypeStandard:NFSHomeDirectory</key><array><string>/Users/ann</string></array></dict></array></plist>`},
		{Call: "directory groups", Value: plistHead + `<array><dict><key>dsAttrTypeStandard:RecordName</key><array><string>admin</string></array>
<key>dsAttrTypeStandard:PrimaryGroupID</key><array><string>80</string></array>
<key>dsAttrTypeStandard:GroupMembership</key><array><string>ann</string></array></dict></array></plist>`},
		{Call: "logged-on users", Value: []host.LoggedOn{{User: "ann", Terminal: "console", Since: time.Unix(1_760_000_000, 0)}}},
		{Call: "MDM status", Value: "Enrolled via DEP: Yes\nMDM enrollment: Yes (User Approved)\nMDM server: https://mdm.example.com/\n"},
		{Call: "system jobs", Value: "PID\tStatus\tLabel\n312\t0\tcom.example.agent\n"},
		{Call: "integrity status", Value: "System Integrity Protection status: enabled.\n"},
		{Call: "network interfaces", Value: []map[string]any{{"Index": 5, "Name": "en0", "MAC": "5e:01:02:03:04:05", "Up": true}}},
		{Call: "sysctl text", Argument: "machdep.cpu.brand_string", Value: "Apple M1 Pro"},
		{Call: "sysctl number", Argument: "hw.packages", Value: 1},
		{Call: "sysctl number", Argument: "kern.hv_vmm_present", Value: 0},
		{Call: "sysctl number", Argument: "hw.physicalcpu_max", Value: 10},
		{Call: "sysctl number", Argument: "hw.logicalcpu_max", Value: 10},
		{Call: "mounts", Value: []map[string]any{
			{"Point": "/", "Device": "/dev/disk3s1s1", "Type": "apfs", "Local": true, "Total": 500, "Free": 100},
			{"Point": "/dev", "Device": "devfs", "Type": "devfs", "Local": true, "Hidden": true},
			{"Point": "/System/Volumes/VM", "Device": "/dev/disk3s6", "Type": "apfs", "Local": true, "Hidden": true},
			{"Point": "/System/Volumes/Data", "Device": "/dev/disk3s5", "Type": "apfs", "Local": true, "Hidden": true},
			{"Point": "/Volumes/share", "Device": "//server/share", "Type": "smbfs"},
		}},
	})
}

// TestInventoryOfAMac inventories the recording of a Mac on whatever system the test runs.
func TestInventoryOfAMac(t *testing.T) {
	t.Parallel()
	text := inventoryText(t, inventoryCommand{Replay: mac(t)})
	var got strings.Builder
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); strings.HasPrefix(line, `{"`) || strings.Contains(line, `"status"`) || strings.Contains(line, `"message"`) {
			got.WriteString(strings.TrimSuffix(line, ",") + "\n")
		}
	}
	golden := filepath.Join("testdata", "mac.txt")
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got.String()); diff != "" {
		t.Errorf("the inventory differs from %s (-want +got):\n%s", golden, diff)
	}
}
