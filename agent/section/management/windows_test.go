package management

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

func TestWindows(t *testing.T) {
	t.Parallel()
	const intune, local, left = enrollments + `\{1}`, enrollments + `\{2}`, enrollments + `\{3}`
	yes := proto.Bool(true)
	for name, test := range map[string]struct {
		registry map[string]map[string]any
		calls    []hosttest.Call
		want     []proto.Message
	}{
		"hybrid": {
			map[string]map[string]any{
				intune: {
					"EnrollmentState": uint32(1), "ProviderID": "MS DM Server", "UPN": "ann@example.com", "AADTenantID": "t1",
					"DiscoveryServiceFullURL": "https://enrollment.manage.microsoft.com/enrollmentserver/discovery.svc",
				},
				intune + `\DMClient\MS DM Server`:      {"EntDMID": "d1"},
				omaAccounts + `{1}\Protected\ConnInfo`: {"ServerLastSuccessTime": "20240508T121314Z"},
				local:                                  {"EnrollmentState": uint32(1), "ProviderID": "Local_Management"},
				left: {
					"EnrollmentState": uint32(0), "ProviderID": "MS DM Server", "DiscoveryServiceFullURL": "https://x.awmdm.com/",
				},
			},
			[]hosttest.Call{
				{Call: "domain", Value: host.Domain{Role: host.RoleMemberWorkstation, Name: "CORP", DNS: "corp.example.com"}},
				{Call: "Entra join", Value: host.EntraJoin{Type: 1, DeviceID: "dev", TenantID: "t1", User: "ann@example.com"}},
			},
			[]proto.Message{
				&inventoryv1.Management{
					Type: "directory", Provider: "active_directory", Client: "windows", Domain: "corp.example.com", Realm: "CORP.EXAMPLE.COM",
					Enrolled: yes,
				},
				&inventoryv1.Management{
					Type: "directory", Provider: "entra_id", Client: "windows", Domain: "example.com", TenantId: "t1", DeviceId: "dev",
					User: "ann@example.com", Enrolled: yes,
				},
				&inventoryv1.Management{
					Type: "mdm", Provider: "intune", Client: "windows", TenantId: "t1", DeviceId: "d1", User: "ann@example.com",
					ServerUrl: "https://enrollment.manage.microsoft.com/enrollmentserver/discovery.svc", Enrolled: yes,
					LastContact: timestamppb.New(time.Date(2024, time.May, 8, 12, 13, 14, 0, time.UTC)),
				},
			},
		},
		"server": {
			map[string]map[string]any{
				updatePolicy:         {"WUServer": "https://wsus.example.com:8531", "TargetGroup": "servers"},
				updatePolicy + `\AU`: {"UseWUServer": uint32(1)},
				updateClient:         {"SusClientId": "s1"},
				configMgr:            {"AssignedSiteCode": "P01"},
				configMgrInfo:        {"LastValidMP": "https://mp.example.com"},
			},
			[]hosttest.Call{
				{Call: "domain", Value: host.Domain{Role: host.RoleMemberServer, Name: "CORP"}},
				{Call: "Entra join", Value: host.EntraJoin{Type: 2, TenantID: "of a user"}},
			},
			[]proto.Message{
				&inventoryv1.Management{Type: "directory", Provider: "active_directory", Client: "windows", Domain: "corp", Enrolled: yes},
				&inventoryv1.Management{
					Type: "updates", Provider: "wsus", Client: "windows", ServerUrl: "https://wsus.example.com:8531", DeviceId: "s1",
					TenantId: "servers", Enrolled: yes,
				},
				&inventoryv1.Management{
					Type: "configuration", Provider: "configmgr", Client: "ccmexec", TenantId: "P01", ServerUrl: "https://mp.example.com",
					Enrolled: yes,
				},
			},
		},
		"workgroup": {
			nil,
			[]hosttest.Call{
				{Call: "domain", Value: host.Domain{Role: host.RoleStandaloneWorkstation, Name: "WORKGROUP"}},
				{Call: "Entra join", Value: host.EntraJoin{}},
			},
			[]proto.Message{},
		},
	} {
		items, err := collect(t.Context(), hosttest.WindowsMachine(t, hosttest.Registry(t, test.registry), test.calls))
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if diff := cmp.Diff(test.want, items, protocmp.Transform()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

// TestWindowsWithoutInterfaces: what an older release lacks is not an error.
func TestWindowsWithoutInterfaces(t *testing.T) {
	t.Parallel()
	items, err := collect(t.Context(), hosttest.Windows(t, map[string]map[string]any{configMgr: {}}))
	want := []proto.Message{
		&inventoryv1.Management{Type: "configuration", Provider: "configmgr", Client: "ccmexec", Enrolled: proto.Bool(false)},
	}
	if diff := cmp.Diff(want, items, protocmp.Transform()); diff != "" || err != nil {
		t.Errorf("error %v (-want +got):\n%s", err, diff)
	}
}
