package security

import (
	"encoding/binary"
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

const control = `HKLM\SYSTEM\CurrentControlSet\Control`

// updated is a FILETIME in a value, and its time.
var updated, updatedAt = binary.LittleEndian.AppendUint64(nil, 133_276_692_300_000_000), time.Date(2023, time.May, 4, 10, 20, 30, 0, time.UTC)

// volumes returns the answer of a machine with these volumes.
func volumes(list ...host.Volume) hosttest.Call {
	for i := range list {
		list[i].MountPoints, list[i].DriveType, list[i].FileSystem = []string{string(rune('C'+i)) + `:\`}, 3, "NTFS"
	}
	return hosttest.Call{Call: "volumes", Value: list}
}

var (
	plain  = host.Volume{Signature: []byte("\xebR\x90NTFS    \x00\x02\x08\x00\x00")}
	locked = host.Volume{Signature: []byte("\xebX\x90-FVE-FS-\x00\x02\x08\x00\x00"), BitLocker: &host.BitLocker{State: 4, Next: 4}}
	hidden = host.Volume{}
)

func services7(running bool) hosttest.Call {
	state := uint32(1)
	if running {
		state = 4
	}
	return hosttest.Call{Call: "services", Value: []host.ServiceStatus{
		{Name: "WinDefend", State: state}, {Name: "MpsSvc", State: state}, {Name: "CSFalconService", State: state}, {Name: "sshd", State: state},
	}}
}

func TestWindows(t *testing.T) {
	t.Parallel()
	on, off := proto.Bool(true), proto.Bool(false)
	profile := func(name string, enabled uint32) map[string]map[string]any {
		return map[string]map[string]any{firewallSettings + name: {"EnableFirewall": enabled}}
	}
	for name, test := range map[string]struct {
		registry []map[string]map[string]any
		calls    []hosttest.Call
		want     []proto.Message
	}{
		"client": {
			[]map[string]map[string]any{
				profile("DomainProfile", 1), profile("StandardProfile", 1), profile("PublicProfile", 1),
				{
					firewallPolicies + `PublicProfile`: {"EnableFirewall": uint32(0)},
					control + `\SecureBoot\State`:      {"UEFISecureBootEnabled": uint32(1)},
					control:                            {"PEFirmwareType": uint32(2)},
					securityCenter + `Av\{1}`:          {"DISPLAYNAME": "Windows Defender", "STATE": uint32(0x61100), "PRODUCTEXE": "windowsdefender://"},
					securityCenter + `Av\{2}`:          {"DISPLAYNAME": "Gone", "STATE": uint32(0x61000), "PRODUCTEXE": `C:\Gone\gone.exe`},
					securityCenter + `Av\{3}`:          {"DISPLAYNAME": "Example", "STATE": uint32(0x60010)},
					securityCenter + `Av\{4}`:          {"DISPLAYNAME": "Nameless state"},
					securityCenter + `Fw\{5}`:          {"DISPLAYNAME": "Example Firewall", "STATE": uint32(0x41000)},
					defender:                           {"InstallLocation": `C:\ProgramData\Microsoft\Windows Defender\Platform\4.18.24090.11-0\`},
					defender + `\Signature Updates`:    {"AVSignatureVersion": "1.403.2000.0", "SignaturesLastUpdated": updated},
					systemPolicy:                       {"EnableLUA": uint32(1), "ConsentPromptBehaviorAdmin": uint32(5), "InactivityTimeoutSecs": uint32(900)},
					lsa:                                {"RunAsPPL": uint32(2)},
					passwordPolicies[1]:                {"BackupDirectory": uint32(2)},
					terminalServer:                     {"fDenyTSConnections": uint32(0)},
					rdpListener:                        {"UserAuthentication": uint32(0)},
					services + `wuauserv`:              {"Start": uint32(3)},
				},
			},
			[]hosttest.Call{
				services7(true), volumes(locked, plain), {Call: "TPM version", Value: "2.0"}, {Call: "code integrity", Value: 0x401},
			},
			[]proto.Message{
				&inventoryv1.SecurityPosture{Control: "secure_boot", State: "on", Enabled: on},
				&inventoryv1.SecurityPosture{Control: "tpm", State: "present", Version: "2.0", Enabled: on},
				&inventoryv1.SecurityPosture{Control: "disk_encryption", State: "partial", Detail: "bitlocker", Enabled: off},
				&inventoryv1.SecurityPosture{Control: "firewall", Product: "Windows Firewall", State: "partial", Detail: "off: public", Enabled: on},
				&inventoryv1.SecurityPosture{Control: "firewall", Product: "Example Firewall", State: "on", Enabled: on},
				&inventoryv1.SecurityPosture{
					Control: "antivirus", Product: "Windows Defender", State: "on", Enabled: on, UpToDate: on, Version: "4.18.24090.11-0",
					SignatureVersion: "1.403.2000.0", SignatureDate: timestamppb.New(updatedAt),
				},
				&inventoryv1.SecurityPosture{Control: "antivirus", Product: "Example", State: "off", Enabled: off, UpToDate: off},
				&inventoryv1.SecurityPosture{Control: "user_account_control", State: "on", Enabled: on},
				&inventoryv1.SecurityPosture{Control: "memory_integrity", State: "on", Enabled: on},
				&inventoryv1.SecurityPosture{Control: "lsa_protection", State: "on", Enabled: on},
				&inventoryv1.SecurityPosture{
					Control: "local_administrator_password", Product: "Windows LAPS", Detail: "Active Directory", State: "on", Enabled: on,
				},
				&inventoryv1.SecurityPosture{
					Control: "remote_login", Product: "Remote Desktop", Detail: "without network level authentication", State: "on", Enabled: on,
				},
				&inventoryv1.SecurityPosture{Control: "remote_login", Product: "OpenSSH", State: "on", Enabled: on},
				&inventoryv1.SecurityPosture{Control: "automatic_updates", Product: "Windows Update", State: "on", Enabled: on},
				&inventoryv1.SecurityPosture{Control: "screen_lock", Detail: "after 900 s", State: "on", Enabled: on},
			},
		},
		"server": {
			[]map[string]map[string]any{
				profile("DomainProfile", 1),
				{
					control:                       {"PEFirmwareType": uint32(1)},
					systemPolicy:                  {"EnableLUA": uint32(0), "ConsentPromptBehaviorAdmin": uint32(0)},
					terminalServer:                {"fDenyTSConnections": uint32(0)},
					rdpPolicy:                     {"fDenyTSConnections": uint32(1)},
					services + `wuauserv`:         {"Start": uint32(3)},
					updatePolicy:                  {"AUOptions": uint32(2)},
					lockPolicy:                    {"MaxInactivityTimeDeviceLock": uint32(0)},
					defender + realTimeSettings:   {"DisableRealtimeMonitoring": uint32(0)},
					defender + `\Unrelated Thing`: {},
				},
			},
			[]hosttest.Call{services7(false), volumes(hidden), {Call: "TPM version", Value: ""}, {Call: "code integrity", Value: 1}},
			[]proto.Message{
				&inventoryv1.SecurityPosture{Control: "secure_boot", State: "not supported", Enabled: off},
				&inventoryv1.SecurityPosture{Control: "tpm", State: "absent", Enabled: off},
				&inventoryv1.SecurityPosture{Control: "firewall", Product: "Windows Firewall", State: "off", Detail: "the service is stopped", Enabled: off},
				&inventoryv1.SecurityPosture{Control: "antivirus", Product: "Microsoft Defender Antivirus", State: "off", Enabled: off},
				&inventoryv1.SecurityPosture{Control: "antivirus", Product: "CrowdStrike Falcon", State: "off", Enabled: off},
				&inventoryv1.SecurityPosture{Control: "user_account_control", Detail: "administrators are not asked", State: "off", Enabled: off},
				&inventoryv1.SecurityPosture{Control: "memory_integrity", State: "off", Enabled: off},
				&inventoryv1.SecurityPosture{Control: "remote_login", Product: "Remote Desktop", State: "off", Enabled: off},
				&inventoryv1.SecurityPosture{Control: "remote_login", Product: "OpenSSH", State: "off", Enabled: off},
				&inventoryv1.SecurityPosture{Control: "automatic_updates", Product: "Windows Update", Detail: "only notifies", State: "off", Enabled: off},
				&inventoryv1.SecurityPosture{Control: "screen_lock", State: "off", Enabled: off},
			},
		},
	} {
		r := host.NewRegistryTree()
		for _, keys := range test.registry {
			for path, values := range keys {
				part := hosttest.Registry(t, map[string]map[string]any{path: values})
				key, err := part.Key(path)
				if err != nil {
					t.Fatal(err)
				}
				r.Add(path, key.Values)
			}
		}
		items, err := collect(t.Context(), hosttest.WindowsMachine(t, r, test.calls))
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if diff := cmp.Diff(test.want, items, protocmp.Transform()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

// TestWindowsFirewallOfCorpus: glpi-agent expects the three profiles of this registry to be on.
func TestWindowsFirewallOfCorpus(t *testing.T) {
	t.Parallel()
	var files []string
	for _, profile := range []string{"Domain", "Standard", "Public"} {
		files = append(files, hosttest.Corpus(t, "glpi-agent", "resources", "win32", "registry", "10-"+profile+"Profile.reg"))
	}
	s := &windowsSurvey{survey: survey{host: hosttest.WindowsMachine(t, hosttest.RegFiles(t, files...), nil)}}
	s.firewall()
	want := []proto.Message{
		&inventoryv1.SecurityPosture{Control: "firewall", Product: "Windows Firewall", State: "on", Enabled: proto.Bool(true)},
	}
	if diff := cmp.Diff(want, s.items, protocmp.Transform()); diff != "" || len(s.errs) > 0 {
		t.Errorf("errors %v (-want +got):\n%s", s.errs, diff)
	}
}
