package service

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/testing/protocmp"

	"github.com/musterhq/muster/agent/host"
	"github.com/musterhq/muster/agent/section/hosttest"
	"github.com/musterhq/muster/agent/section/plist"
	inventoryv1 "github.com/musterhq/muster/proto/muster/inventory/v1"
)

func dict(text string) string {
	return `<?xml version="1.0" encoding="UTF-8"?><plist version="1.0"><dict>` + text + `</dict></plist>`
}

func TestOfLaunchd(t *testing.T) {
	t.Parallel()
	files := map[string]string{
		"/System/Library/LaunchDaemons/ssh.plist": dict(`<key>Label</key><string>com.openssh.sshd</string>
<key>Disabled</key><true/><key>Program</key><string>/usr/libexec/sshd-keygen-wrapper</string>
<key>ProgramArguments</key><array><string>/usr/sbin/sshd</string><string>-i</string></array>`),
		"/System/Library/LaunchDaemons/com.apple.mdns.plist": dict(`<key>Label</key><string>com.apple.mDNSResponder</string>
<key>ProgramArguments</key><array><string>/usr/sbin/mDNSResponder</string></array>
<key>UserName</key><string>_mdnsresponder</string><key>KeepAlive</key><true/>`),
		"/System/Library/LaunchDaemons/org.cups.cupsd.plist": dict(`<key>Label</key><string>org.cups.cupsd</string>
<key>ProgramArguments</key><array><string>/usr/sbin/cupsd</string></array>
<key>KeepAlive</key><dict><key>PathState</key><dict/></dict>`),
		"/Library/LaunchDaemons/com.example.agent.plist": `{ Label = "com.example.agent"; RunAtLoad = 1; Program = agentd; }`,
		"/Library/LaunchDaemons/com.example.off.plist":   dict(`<key>Label</key><string>com.example.off</string><key>RunAtLoad</key><true/>`),
		"/Library/LaunchDaemons/com.example.twice.plist": dict(`<key>Label</key><string>com.example.off</string>`),
		"/Library/LaunchDaemons/broken.plist":            "bplist00",
		"/Library/LaunchDaemons/nameless.plist":          dict(""),
		"/Library/LaunchDaemons/.DS_Store":               "",
		disabledJobs:                                     dict(`<key>com.openssh.sshd</key><false/><key>com.example.off</key><true/>`),
	}
	recorded, err := host.Replay(hosttest.Recording(t, "darwin", files, []hosttest.Call{
		{Call: "system jobs", Value: "PID\tStatus\tLabel\n312\t0\tcom.apple.mDNSResponder\n-\t0\torg.cups.cupsd\n-\t-9\tcom.apple.other\n"},
	}))
	if err != nil {
		t.Fatal(err)
	}
	got, err := ofLaunchd(t.Context(), recorded)
	if err == nil || strings.Count(err.Error(), "\n") != 1 || !strings.Contains(err.Error(), "nameless.plist: no label") {
		t.Errorf("error %v, want one for each of two files", err)
	}
	want := []*inventoryv1.Service{
		{Name: "com.example.agent", StartType: "enabled", RunAs: "root"},
		{Name: "com.example.off", StartType: "disabled", RunAs: "root"},
		{Name: "com.apple.mDNSResponder", StartType: "enabled", ExePath: "/usr/sbin/mDNSResponder", RunAs: "_mdnsresponder", State: "running"},
		{Name: "org.cups.cupsd", StartType: "on-demand", ExePath: "/usr/sbin/cupsd", RunAs: "root", State: "stopped"},
		{Name: "com.openssh.sshd", StartType: "on-demand", ExePath: "/usr/libexec/sshd-keygen-wrapper", RunAs: "root"},
	}
	if diff := cmp.Diff(want, got, protocmp.Transform()); diff != "" {
		t.Errorf("services (-want +got):\n%s", diff)
	}
}

func FuzzJob(f *testing.F) {
	f.Add([]byte(dict(`<key>Label</key><string>a</string><key>KeepAlive</key><true/>`)))
	f.Add([]byte(`{ Label = a; RunAtLoad = 1; ProgramArguments = (b); }`))
	f.Fuzz(func(_ *testing.T, data []byte) {
		_, _ = parseJob(data, map[string]plist.Flag{"a": {On: true, Known: true}})
	})
}
