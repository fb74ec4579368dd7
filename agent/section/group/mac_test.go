package group

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/testing/protocmp"

	"github.com/musterhq/muster/agent/host"
	"github.com/musterhq/muster/agent/section/hosttest"
	inventoryv1 "github.com/musterhq/muster/proto/muster/inventory/v1"
)

func directoryGroup(name, gid string, members ...string) string {
	text := "<dict><key>dsAttrTypeStandard:RecordName</key><array><string>" + name +
		"</string></array><key>dsAttrTypeStandard:PrimaryGroupID</key><array><string>" + gid + "</string></array>"
	if len(members) > 0 {
		text += "<key>dsAttrTypeStandard:GroupMembership</key><array>"
		for _, member := range members {
			text += "<string>" + member + "</string>"
		}
		text += "</array>"
	}
	return text + "</dict>"
}

func TestCollectMac(t *testing.T) {
	t.Parallel()
	h, err := host.Replay(hosttest.Recording(t, "darwin", map[string]string{
		sudoers: "root ALL=(ALL) ALL\n%admin ALL=(ALL) ALL\n%deploy ALL=(ALL) NOPASSWD: ALL\n", sudoersD + "/": "",
	}, []hosttest.Call{
		{Call: "directory groups", Value: `<?xml version="1.0" encoding="UTF-8"?><plist version="1.0"><array>` +
			directoryGroup("wheel", "0", "root") + directoryGroup("admin", "80", "root", "bob", "ann", "ann") +
			directoryGroup("staff", "20", "root") + directoryGroup("_analyticsusers", "250", "_analyticsd", "_timed") +
			directoryGroup("com.apple.access_ssh", "399", "ann") + directoryGroup("deploy", "501") +
			directoryGroup("_agent", "510") + directoryGroup("nogroup", "-1", "nobody") + `</array></plist>`},
	}))
	if err != nil {
		t.Fatal(err)
	}
	got, err := collect(t.Context(), h)
	if err != nil {
		t.Error(err)
	}
	want := []proto.Message{
		&inventoryv1.Group{Name: "admin", Id: "80", Members: []string{"ann", "bob", "root"}, IsAdmin: proto.Bool(true)},
		&inventoryv1.Group{Name: "com.apple.access_ssh", Id: "399", Members: []string{"ann"}, IsAdmin: proto.Bool(false)},
		&inventoryv1.Group{Name: "deploy", Id: "501", IsAdmin: proto.Bool(true)},
	}
	if diff := cmp.Diff(want, got, protocmp.Transform()); diff != "" {
		t.Errorf("groups (-want +got):\n%s", diff)
	}
}
