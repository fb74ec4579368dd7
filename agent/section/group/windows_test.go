package group

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/testing/protocmp"

	"github.com/musterhq/muster/agent/host"
	"github.com/musterhq/muster/agent/section/hosttest"
	inventoryv1 "github.com/musterhq/muster/proto/muster/inventory/v1"
)

func TestWindows(t *testing.T) {
	t.Parallel()
	r := hosttest.Registry(t, map[string]map[string]any{machineName: {"ComputerName": "PC7"}})
	calls := []hosttest.Call{
		{Call: "local groups", Value: []host.LocalGroup{
			{Name: "Administratoren", SID: administratorsSID, Members: []host.GroupMember{
				{SID: "S-1-5-21-1-2-3-1001", Account: `PC7\ann`}, {SID: "S-1-5-21-4-5-6-512", Account: `CORP\Domain Admins`},
				{SID: "S-1-5-21-4-5-6-9999"}, {SID: "S-1-5-21-1-2-3-1001", Account: `pc7\ann`},
			}},
			{Name: "Gäste", SID: "S-1-5-32-546"},
			{Name: "docker-users", SID: "S-1-5-21-1-2-3-1005"},
			{Name: "Hidden", Members: []host.GroupMember{{SID: "S-1-5-11", Account: "Authenticated Users"}}},
		}},
		{Call: "domain", Value: host.Domain{Role: host.RoleMemberWorkstation}},
	}
	items, err := collect(t.Context(), hosttest.WindowsMachine(t, r, calls))
	if err != nil {
		t.Fatal(err)
	}
	want := []proto.Message{
		&inventoryv1.Group{
			Name: "Administratoren", Domain: "PC7", Id: administratorsSID, IsAdmin: proto.Bool(true),
			Members: []string{`CORP\Domain Admins`, "S-1-5-21-4-5-6-9999", "ann"},
		},
		&inventoryv1.Group{Name: "docker-users", Domain: "PC7", Id: "S-1-5-21-1-2-3-1005", IsAdmin: proto.Bool(false)},
		&inventoryv1.Group{Name: "Hidden", Domain: "PC7", Members: []string{"Authenticated Users"}},
	}
	if diff := cmp.Diff(want, items, protocmp.Transform()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	calls[1].Value = host.Domain{Role: host.RolePrimaryController}
	if _, err := collect(t.Context(), hosttest.WindowsMachine(t, r, calls)); !errors.Is(err, host.ErrUnsupported) {
		t.Errorf("domain controller: %v", err)
	}
}
