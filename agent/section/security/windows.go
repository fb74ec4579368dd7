package security

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strconv"
	"strings"

	"google.golang.org/protobuf/proto"

	"github.com/musterhq/muster/agent/host"
	"github.com/musterhq/muster/agent/section/firmware"
	"github.com/musterhq/muster/agent/section/volume"
	inventoryv1 "github.com/musterhq/muster/proto/muster/inventory/v1"
)

// Registry keys of protections.
const (
	services       = `HKLM\SYSTEM\CurrentControlSet\Services\`
	lsa            = `HKLM\SYSTEM\CurrentControlSet\Control\Lsa`
	terminalServer = `HKLM\SYSTEM\CurrentControlSet\Control\Terminal Server`
	rdpListener    = terminalServer + `\WinStations\RDP-Tcp`
	policies       = `HKLM\SOFTWARE\Policies\Microsoft\`
	rdpPolicy      = policies + `Windows NT\Terminal Services`
	updatePolicy   = policies + `Windows\WindowsUpdate\AU`
	systemPolicy   = `HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\Policies\System`
	lockPolicy     = `HKLM\SOFTWARE\Microsoft\PolicyManager\current\device\DeviceLock`
)

// windowsControls are in the order of the items.
var windowsControls = []func(s *windowsSurvey){
	(*windowsSurvey).secureBoot, (*windowsSurvey).tpm, (*windowsSurvey).diskEncryption, (*windowsSurvey).firewall,
	(*windowsSurvey).antivirus, (*windowsSurvey).accountControl, (*windowsSurvey).memoryIntegrity,
	(*windowsSurvey).lsaProtection, (*windowsSurvey).administratorPassword, (*windowsSurvey).remoteDesktop,
	(*windowsSurvey).secureShell, (*windowsSurvey).automaticUpdates, (*windowsSurvey).screenLock,
}

// windowsSurvey is one collection.
type windowsSurvey struct {
	survey

	volumes  []proto.Message
	services map[string]bool // whether a service runs, by name in lower case
	unknown  bool            // the services are not known
}

func collectWindows(ctx context.Context, h *host.Host) ([]proto.Message, error) {
	s := &windowsSurvey{survey: survey{host: h}, services: map[string]bool{}}
	list, err := h.Services()
	s.unknown = err != nil
	const running = 4 // SERVICE_RUNNING
	for _, service := range list {
		s.services[strings.ToLower(service.Name)] = service.State == running
	}
	// An error of the volumes is that of the section volume.
	s.volumes, _ = volume.Collector().Collect(ctx, h)
	for _, control := range windowsControls {
		control(s)
	}
	if len(s.items) == 0 && len(s.errs) == 0 {
		return nil, fmt.Errorf("%w: the registry describes no protection", host.ErrUnsupported)
	}
	return s.items, errors.Join(s.errs...)
}

// key returns a key without values if it does not exist or cannot be read.
func (s *windowsSurvey) key(path string) host.RegistryKey {
	key, err := s.host.RegistryKey(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		s.errs = append(s.errs, err)
	}
	return key
}

// number returns the first of the keys' values with this name. A policy precedes a setting.
func (s *windowsSurvey) number(name string, paths ...string) (uint64, bool) {
	for _, path := range paths {
		if n, ok := s.key(path).Number(name); ok {
			return n, true
		}
	}
	return 0, false
}

func (s *windowsSurvey) secureBoot() {
	on, mode := firmware.SecureBootOfWindows(s.host)
	item := &inventoryv1.SecurityPosture{Control: "secure_boot"}
	switch {
	case on != nil:
		s.add(item, *on)
	case mode == "bios":
		item.State = "not supported"
		s.add(item, false)
	}
}

func (s *windowsSurvey) tpm() {
	version, err := s.host.TPMVersion()
	if err != nil {
		return
	}
	item := &inventoryv1.SecurityPosture{Control: "tpm", State: "absent", Version: version}
	if version != "" {
		item.State = "present"
	}
	s.add(item, version != "")
}

// diskEncryption summarizes the section volume, as on Linux. Whether a volume is not encrypted is
// known only with its status, for which the agent must be an administrator. Otherwise nothing
// is added.
func (s *windowsSurvey) diskEncryption() {
	protected, total, method := 0, 0, ""
	for _, message := range s.volumes {
		v, ok := message.(*inventoryv1.Volume)
		if !ok || v.EncryptionStatus == "" && v.EncryptionMethod != "" { // not known whether a key protects it
			return
		}
		total++
		if v.EncryptionStatus == "on" || v.EncryptionStatus == "locked" {
			protected++
			method = v.EncryptionMethod
		}
	}
	if total == 0 || !volume.EncryptionKnown(s.host) {
		return
	}
	item := &inventoryv1.SecurityPosture{Control: "disk_encryption", Detail: method}
	if protected > 0 && protected < total {
		item.State = "partial"
	}
	s.add(item, protected == total)
}

// Profiles of the firewall, as its settings and its policies name them. "Standard" is that of
// private networks.
var firewallProfiles = []struct{ name, setting, policy string }{
	{"domain", "DomainProfile", "DomainProfile"},
	{"private", "StandardProfile", "PrivateProfile"},
	{"public", "PublicProfile", "PublicProfile"},
}

const (
	firewallSettings = services + `SharedAccess\Parameters\FirewallPolicy\`
	firewallPolicies = policies + `WindowsFirewall\`
	firewallService  = "MpsSvc"
)

// firewall adds the firewall of Windows, whose profiles apply by the type of network, and those of
// others that the Security Center knows.
func (s *windowsSurvey) firewall() {
	var on, off []string
	for _, profile := range firewallProfiles {
		enabled, known := s.number("EnableFirewall", firewallPolicies+profile.policy, firewallSettings+profile.setting)
		switch {
		case known && enabled == 1:
			on = append(on, profile.name)
		case known:
			off = append(off, profile.name)
		}
	}
	if len(on)+len(off) > 0 {
		item := &inventoryv1.SecurityPosture{Control: "firewall", Product: "Windows Firewall"}
		if len(on) > 0 && len(off) > 0 {
			item.State, item.Detail = "partial", "off: "+strings.Join(off, ", ")
		}
		if running, known := s.services[strings.ToLower(firewallService)]; known && !running {
			item.State, item.Detail, on = "off", "the service is stopped", nil
		}
		s.add(item, len(on) > 0)
	}
	for _, p := range s.providers("Fw") {
		s.addProvider("firewall", p)
	}
}

func (s *windowsSurvey) accountControl() {
	key := s.key(systemPolicy)
	enabled, known := key.Number("EnableLUA")
	if !known {
		return
	}
	item := &inventoryv1.SecurityPosture{Control: "user_account_control"}
	if prompt, known := key.Number("ConsentPromptBehaviorAdmin"); known && prompt == 0 {
		item.Detail = "administrators are not asked"
	}
	s.add(item, enabled == 1)
}

// memoryIntegrity adds whether the hypervisor checks the code of the kernel, now and not only after
// a restart.
func (s *windowsSurvey) memoryIntegrity() {
	options, err := s.host.CodeIntegrity()
	if err != nil {
		return
	}
	const byHypervisor = 0x400 // CODEINTEGRITY_OPTION_HVCI_KMCI_ENABLED
	s.add(&inventoryv1.SecurityPosture{Control: "memory_integrity"}, options&byHypervisor != 0)
}

// lsaProtection adds whether other programs may read the memory of the process with the users'
// secrets.
func (s *windowsSurvey) lsaProtection() {
	if level, known := s.number("RunAsPPL", lsa); known {
		s.add(&inventoryv1.SecurityPosture{Control: "lsa_protection"}, level == 1 || level == 2)
	}
}

// passwordPolicies have the settings of Windows LAPS, those of an MDM first.
var passwordPolicies = []string{
	`HKLM\SOFTWARE\Microsoft\Policies\LAPS`, `HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\Policies\LAPS`,
}

// administratorPassword adds whether Windows changes the password of the local administrator.
func (s *windowsSurvey) administratorPassword() {
	item := &inventoryv1.SecurityPosture{Control: "local_administrator_password", Product: "Windows LAPS"}
	directory, known := s.number("BackupDirectory", passwordPolicies...)
	switch directory {
	case 1:
		item.Detail = "Entra ID"
	case 2:
		item.Detail = "Active Directory"
	}
	if known {
		s.add(item, item.Detail != "")
	}
	if enabled, known := s.number("AdmPwdEnabled", policies[:len(policies)-1]+` Services\AdmPwd`); known {
		s.add(&inventoryv1.SecurityPosture{
			Control: "local_administrator_password", Product: "Microsoft LAPS", Detail: "Active Directory",
		}, enabled == 1)
	}
}

func (s *windowsSurvey) remoteDesktop() {
	denied, known := s.number("fDenyTSConnections", rdpPolicy, terminalServer)
	if !known {
		return
	}
	item := &inventoryv1.SecurityPosture{Control: "remote_login", Product: "Remote Desktop"}
	if level, known := s.number("UserAuthentication", rdpPolicy, rdpListener); known && denied == 0 && level == 0 {
		item.Detail = "without network level authentication"
	}
	s.add(item, denied == 0)
}

func (s *windowsSurvey) secureShell() {
	if running, installed := s.services["sshd"]; installed {
		s.add(&inventoryv1.SecurityPosture{Control: "remote_login", Product: "OpenSSH"}, running)
	}
}

// automaticUpdates adds Windows Update. Without a policy it installs updates itself.
func (s *windowsSurvey) automaticUpdates() {
	start, installed := s.number("Start", services+"wuauserv")
	if !installed {
		return
	}
	const disabled, onlyNotify = 4, 2
	item := &inventoryv1.SecurityPosture{Control: "automatic_updates", Product: "Windows Update"}
	never, _ := s.number("NoAutoUpdate", updatePolicy)
	option, _ := s.number("AUOptions", updatePolicy)
	if option == onlyNotify {
		item.Detail = "only notifies"
	}
	s.add(item, start != disabled && never != 1 && option != onlyNotify)
}

// screenLock adds the limit of the machine. Without one, each user chooses.
func (s *windowsSurvey) screenLock() {
	seconds, known := s.number("InactivityTimeoutSecs", systemPolicy)
	if minutes, byMDM := s.number("MaxInactivityTimeDeviceLock", lockPolicy); byMDM {
		seconds, known = minutes*60, true
	}
	if known {
		s.add(&inventoryv1.SecurityPosture{Control: "screen_lock", Detail: limit(seconds)}, seconds > 0)
	}
}

func limit(seconds uint64) string {
	if seconds == 0 {
		return ""
	}
	return "after " + strconv.FormatUint(seconds, 10) + " s"
}

// provider is a product that the Security Center knows.
type provider struct {
	name  string
	state uint64
}

const securityCenter = `HKLM\SOFTWARE\Microsoft\Security Center\Provider\`

// providers returns the products of a kind. Those whose program is gone are left out, because the
// Security Center does not forget them.
func (s *windowsSurvey) providers(kind string) []provider {
	list := s.key(securityCenter + kind).SubKeys
	slices.Sort(list)
	var found []provider
	for _, id := range list {
		key := s.key(securityCenter + kind + `\` + id)
		name := key.Text("DISPLAYNAME")
		state, known := key.Number("STATE")
		if name == "" || !known || s.gone(key.Text("PRODUCTEXE")) {
			continue
		}
		same := slices.IndexFunc(found, func(p provider) bool { return p.name == name })
		if same < 0 {
			found = append(found, provider{name, state})
		} else if state&protectionMask == protectionOn { // an update of a product registers it again
			found[same].state = state
		}
	}
	return found
}

// gone reports whether a program does not exist. What is not the path of a file is not known.
func (s *windowsSurvey) gone(program string) bool {
	if len(program) < 3 || program[1:3] != `:\` {
		return false
	}
	_, err := s.host.Stat(strings.ReplaceAll(program, `\`, "/"))
	return errors.Is(err, fs.ErrNotExist)
}

// The state of a product has a byte for its protection and one for its signatures.
const (
	protectionOn   = 0x1000
	protectionMask = 0xf000
	outdated       = 0x10
)

func (s *windowsSurvey) addProvider(control string, p provider) *inventoryv1.SecurityPosture {
	item := &inventoryv1.SecurityPosture{Control: control, Product: p.name}
	s.add(item, p.state&protectionMask == protectionOn)
	return item
}
