package user

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

// directoryAccount is a record of dscl.
func directoryAccount(name, uid, home, shell, node string) string {
	text := "<dict>"
	for key, value := range map[string]string{
		"RecordName": name, "UniqueID": uid, "NFSHomeDirectory": home, "UserShell": shell, "OriginalNodeName": node,
		"RealName": "Name of " + name,
	} {
		if value != "" {
			text += "<key>dsAttrTypeStandard:" + key + "</key><array><string>" + value + "</string></array>"
		}
	}
	return text + "</dict>"
}

func mac(t *testing.T, open []host.LoggedOn) *host.Host {
	t.Helper()
	const zsh = "/bin/zsh"
	h, err := host.Replay(hosttest.Recording(t, "darwin", map[string]string{
		"/Users/ann/": "", "/Users/bob/": "", "/Users/ldap/": "", "/var/empty/": "",
		loginWindow: `{ lastUserName = bob; lastUser = loggedIn; GuestEnabled = 0; }`,
	}, []hosttest.Call{
		{Call: "logged-on users", Value: open},
		{Call: "directory users", Value: `<?xml version="1.0" encoding="UTF-8"?><plist version="1.0"><array>` +
			directoryAccount("root", "0", "/var/root", "/bin/sh", "") +
			directoryAccount("_mbsetupuser", "248", "/var/setup", "/bin/bash", "") +
			directoryAccount("nobody", "-2", "/var/empty", "/usr/bin/false", "") +
			directoryAccount("_agent", "510", "/var/empty", zsh, "") +
			directoryAccount("sync", "511", "/var/empty", "/usr/bin/false", "") +
			directoryAccount("never", "512", "/Users/never", zsh, "") +
			directoryAccount("bob", "502", "/Users/bob", zsh, "") +
			directoryAccount("ann", "501", "/Users/ann", zsh, "/Local/Default") +
			directoryAccount("ldap", "1873912645", "/Users/ldap", zsh, "/Active Directory/EXAMPLE/All Domains") +
			`</array></plist>`},
	}))
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func TestCollectMac(t *testing.T) {
	t.Parallel()
	ann := &inventoryv1.User{Name: "ann", FullName: "Name of ann"}
	bob := &inventoryv1.User{Name: "bob", FullName: "Name of bob"}
	ldap := &inventoryv1.User{Name: "ldap", FullName: "Name of ldap", Domain: "EXAMPLE"}
	at := time.Unix(1_700_000_000, 0)

	primary := proto.CloneOf(bob)
	primary.IsPrimary = true
	checkMac(t, mac(t, nil), primary, ann, ldap)

	primary = proto.CloneOf(ann)
	primary.IsPrimary, primary.LastLogin = true, timestamppb.New(at)
	checkMac(t, mac(t, []host.LoggedOn{
		{User: "bob", Terminal: "console", Since: at.Add(-time.Hour)},
		{User: "ann", Terminal: "console", Since: at},
		{User: "_mbsetupuser", Terminal: "console", Since: at.Add(time.Hour)},
		{User: "ldap", Terminal: "ttys000", From: "10.0.0.1", Since: at.Add(time.Hour)},
	}), primary, bob, ldap)
}

func checkMac(t *testing.T, h *host.Host, want ...proto.Message) {
	t.Helper()
	got, err := collect(t.Context(), h)
	if err != nil {
		t.Error(err)
	}
	if diff := cmp.Diff(want, got, protocmp.Transform()); diff != "" {
		t.Errorf("users (-want +got):\n%s", diff)
	}
}

func TestDomainOf(t *testing.T) {
	t.Parallel()
	for node, want := range map[string]string{
		"": "", "/Local/Default": "", "/LDAPv3/ldap.example.com": "ldap.example.com", "/Active Directory": "",
	} {
		if got := domainOf(node); got != want {
			t.Errorf("%s: %s, want %s", node, got, want)
		}
	}
}
