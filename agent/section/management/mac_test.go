package management

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/testing/protocmp"

	"github.com/musterhq/muster/agent/host"
	"github.com/musterhq/muster/agent/section/hosttest"
	inventoryv1 "github.com/musterhq/muster/proto/muster/inventory/v1"
)

func TestParseEnrollment(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]*inventoryv1.Management{
		"Enrolled via DEP: No\nMDM enrollment: No\n": nil,
		"": nil,
		"Enrolled via DEP: Yes\nMDM enrollment: Yes (User Approved)\nMDM server: https://i.manage.microsoft.com/mdm\n": {
			Type: "mdm", Provider: "intune", Client: "macos", ServerUrl: "https://i.manage.microsoft.com/mdm",
			Enrolled: proto.Bool(true),
		},
		"Enrolled via DEP: No\nMDM enrollment: Yes\nMDM server: https://jamf.example.com:8443/mdm?token=x": {
			Type: "mdm", Client: "macos", ServerUrl: "https://jamf.example.com:8443/mdm", Enrolled: proto.Bool(true),
		},
		"Enrolled via DEP: No\nMDM enrollment: Yes\nMDM server: https://notjamfcloud.com/": {
			Type: "mdm", Client: "macos", ServerUrl: "https://notjamfcloud.com/", Enrolled: proto.Bool(true),
		},
		"Enrolled via DEP: Yes\nMDM enrollment: No\n": {Type: "mdm", Client: "macos", Enrolled: proto.Bool(false)},
	} {
		if diff := cmp.Diff(want, parseEnrollment(text), protocmp.Transform()); diff != "" {
			t.Errorf("%q (-want +got):\n%s", text, diff)
		}
	}
}

const plistHead = `<?xml version="1.0" encoding="UTF-8"?><plist version="1.0">`

func TestCollectMac(t *testing.T) {
	t.Parallel()
	h, err := host.Replay(hosttest.Recording(t, "darwin", map[string]string{
		directoryConfigurations + "/Active Directory/EXAMPLE.plist": "",
		directoryConfigurations + "/LDAPv3/ldap.example.com.plist":  "",
		directoryConfigurations + "/LDAPv3/.DS_Store":               "",
		"/Library/Preferences/com.jamfsoftware.jamf.plist": plistHead +
			`<dict><key>is_proxy</key><false/><key>jss_url</key><string>https://jamf.example.com:8443/</string></dict></plist>`,
		"/Library/Kandji/":                     "",
		"/etc/puppetlabs/puppet/puppet.conf":   "[main]\nserver = puppet.example.com\n",
		"/Library/Preferences/ManagedInstalls": "",
	}, []hosttest.Call{
		{Call: "MDM status", Value: "Enrolled via DEP: Yes\nMDM enrollment: Yes (User Approved)\nMDM server: https://x.jamfcloud.com/mdm\n"},
		{Call: "domain membership", Value: plistHead + `<dict><key>General Info</key><dict><key>Active Directory Domain</key>
<string>Example.com</string><key>Computer Account</key><string>mac042$</string></dict></dict></plist>`},
	}))
	if err != nil {
		t.Fatal(err)
	}
	got, err := collect(t.Context(), h)
	if err != nil {
		t.Error(err)
	}
	want := []proto.Message{
		&inventoryv1.Management{
			Type: "mdm", Provider: "jamf", Client: "macos", ServerUrl: "https://x.jamfcloud.com/mdm", Enrolled: proto.Bool(true),
		},
		&inventoryv1.Management{
			Type: "directory", Provider: "active_directory", Client: "opendirectory", Domain: "example.com",
			DeviceId: "mac042", Enrolled: proto.Bool(true),
		},
		&inventoryv1.Management{
			Type: "directory", Provider: "ldap", Client: "opendirectory", Domain: "ldap.example.com", ServerUrl: "ldap.example.com",
		},
		&inventoryv1.Management{Type: "mdm", Provider: "kandji"},
		&inventoryv1.Management{Type: "configuration", Provider: "puppet", ServerUrl: "puppet.example.com"},
	}
	if diff := cmp.Diff(want, got, protocmp.Transform()); diff != "" {
		t.Errorf("items (-want +got):\n%s", diff)
	}
}

// TestMacOfNobody: a Mac that nobody manages has no items and no error.
func TestMacOfNobody(t *testing.T) {
	t.Parallel()
	h := hosttest.Tree(t, map[string]string{host.MacRelease: ""})
	if items, err := collect(t.Context(), h); len(items) > 0 || err != nil {
		t.Errorf("%v, %v", items, err)
	}
}

func FuzzDomain(f *testing.F) {
	f.Add([]byte(plistHead + `<dict><key>General Info</key><dict><key>Computer Account</key><string>a$</string></dict></dict></plist>`))
	f.Fuzz(func(_ *testing.T, data []byte) {
		_ = (&survey{}).addDomain(data)
		parseEnrollment(string(data))
	})
}
