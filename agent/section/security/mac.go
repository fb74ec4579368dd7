package security

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"github.com/musterhq/muster/agent/host"
	"github.com/musterhq/muster/agent/section/firmware"
	"github.com/musterhq/muster/agent/section/plist"
	"github.com/musterhq/muster/agent/section/profiler"
	inventoryv1 "github.com/musterhq/muster/proto/muster/inventory/v1"
)

// macControls are the controls of macOS, in the order of the items. diskEncryption is that of all
// systems.
var macControls = []func(ctx context.Context, s *survey){
	macSecureBoot, integrityProtection, diskEncryption, gatekeeper, applicationFirewall, xprotect, macAntivirus,
	remoteAccess, macUpdates, screenLock,
}

// macSecureBoot adds nothing for a Mac without a security chip.
func macSecureBoot(ctx context.Context, s *survey) {
	items, err := profiler.Ask(ctx, s.host, host.FirmwareProfile, firmware.FromProfile)
	if err != nil {
		return // the section firmware reports it
	}
	for _, message := range items {
		if f, ok := message.(*inventoryv1.Firmware); ok && f.SecureBoot != nil {
			s.add(&inventoryv1.SecurityPosture{Control: "secure_boot"}, f.GetSecureBoot())
		}
	}
}

// answer adds a protection by the answer of a command. Any answer but on and off adds
// nothing: later releases may use other words.
func (s *survey) answer(ctx context.Context, command host.Command, item *inventoryv1.SecurityPosture, on, off string) {
	out, err := s.host.Output(ctx, command)
	switch text := string(out); {
	case strings.Contains(text, on):
		s.add(item, true)
	case strings.Contains(text, off): // with an error: some commands report the state by their exit code, too
		s.add(item, false)
	case err != nil && !errors.Is(err, host.ErrUnsupported):
		s.errs = append(s.errs, err)
	}
}

// integrityProtection adds whether the system's files are closed to root. A configuration with
// parts of the protection off is neither on nor off.
func integrityProtection(ctx context.Context, s *survey) {
	s.answer(ctx, host.IntegrityStatus, &inventoryv1.SecurityPosture{Control: "system_integrity_protection"},
		"status: enabled.", "status: disabled.")
}

// gatekeeper adds whether programs need a signature that Apple knows.
func gatekeeper(ctx context.Context, s *survey) {
	item := &inventoryv1.SecurityPosture{Control: "application_control", Product: "Gatekeeper"}
	s.answer(ctx, host.GatekeeperStatus, item, "assessments enabled", "assessments disabled")
}

// applicationFirewall asks its own program: since macOS 15 the preferences no longer have its
// state, and those of an older release may still be there.
func applicationFirewall(ctx context.Context, s *survey) {
	item := &inventoryv1.SecurityPosture{Control: "firewall", Product: "Application Firewall"}
	s.answer(ctx, host.ApplicationFirewall, item, "Firewall is enabled", "Firewall is disabled")
}

// xprotectBundles has the signatures of XProtect, first where macOS 15 and later have them.
var xprotectBundles = []string{
	"/var/protected/xprotect/XProtect.bundle", "/Library/Apple/System/Library/CoreServices/XProtect.bundle",
	"/System/Library/CoreServices/XProtect.bundle",
}

// xprotect adds Apple's own protection against malware, which cannot be turned off as a whole.
func xprotect(_ context.Context, s *survey) {
	for _, bundle := range xprotectBundles {
		if version := s.bundleVersion(bundle); version != "" {
			item := &inventoryv1.SecurityPosture{Control: "antivirus", Product: "XProtect", SignatureVersion: version}
			s.unknown(item, "installed")
			return
		}
	}
}

// macAntivirusProducts are programs against malware, by the application or directory of each. The
// programs that could report their state are not asked: administrators other than root can replace
// them, and the agent runs as root.
var macAntivirusProducts = []struct{ name, path string }{
	{"Microsoft Defender for Endpoint", "/Applications/Microsoft Defender.app"},
	{"Microsoft Defender for Endpoint", "/Applications/Microsoft Defender ATP.app"},
	{"CrowdStrike Falcon", "/Applications/Falcon.app"},
	{"SentinelOne", "/Library/Sentinel/sentinel-agent.bundle"},
	{"Sophos Endpoint", "/Applications/Sophos/Sophos Endpoint.app"},
	{"ESET Endpoint Security", "/Applications/ESET Endpoint Security.app"},
	{"Trend Micro Security", "/Applications/TrendMicroSecurity.app"},
	{"Bitdefender Endpoint Security", "/Library/Bitdefender/AVP/EndpointSecurityforMac.app"},
	{"Kaspersky Endpoint Security", "/Applications/Kaspersky Endpoint Security.app"},
	{"Malwarebytes", "/Applications/Malwarebytes.app"},
	{"Jamf Protect", "/Applications/JamfProtect.app"},
	{"Cortex XDR", "/Applications/Cortex XDR.app"},
	{"Carbon Black Cloud", "/Applications/VMware Carbon Black Cloud"},
	{"Cisco Secure Endpoint", "/Applications/Cisco Secure Endpoint"},
	{"Elastic Endpoint", "/Library/Elastic/Endpoint"},
	{"Wazuh", "/Library/Ossec"},
	{"ClamAV", "/usr/local/clamav"},
}

func macAntivirus(_ context.Context, s *survey) {
	found := map[string]bool{}
	for _, p := range macAntivirusProducts {
		if !found[p.name] && s.exists(p.path) {
			found[p.name] = true
			s.unknown(&inventoryv1.SecurityPosture{
				Control: "antivirus", Product: p.name, Version: s.bundleVersion(p.path),
			}, "installed")
		}
	}
}

// bundleVersion returns the version of an application or another bundle, or "".
func (s *survey) bundleVersion(bundle string) string {
	version, _ := s.preferences(bundle + "/Contents/Info.plist")
	return string(version["CFBundleShortVersionString"])
}

// preferences reads a property list twice: for its texts and for its flags. A file that does not
// exist or that only the system may read has neither.
func (s *survey) preferences(name string) (texts map[string]plist.Text, flags map[string]plist.Flag) {
	data, err := s.host.ReadFile(name, maxConfiguration)
	if err == nil {
		err = errors.Join(plist.Unmarshal(data, &texts), plist.Unmarshal(data, &flags))
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, fs.ErrPermission) {
		s.errs = append(s.errs, fmt.Errorf("read %s: %w", name, err))
	}
	return texts, flags
}

// disabledServices has the services of launchd that an administrator has turned on or off.
const disabledServices = "/var/db/com.apple.xpc.launchd/disabled.plist"

// remoteAccess adds the services by which people reach the Mac from outside. They are off unless an
// administrator has turned them on.
func remoteAccess(_ context.Context, s *survey) {
	if !s.exists(disabledServices) {
		return
	}
	_, disabled := s.preferences(disabledServices)
	if disabled == nil {
		return
	}
	for _, service := range []struct{ label, control, product string }{
		{"com.openssh.sshd", "remote_login", "OpenSSH"},
		{"com.apple.screensharing", "remote_login", "Screen Sharing"},
	} {
		off := disabled[service.label]
		s.add(&inventoryv1.SecurityPosture{Control: service.control, Product: service.product}, off.Known && !off.On)
	}
}

// The preferences of the machine, and those that an MDM service sets, which override them.
const (
	macPreferences     = "/Library/Preferences/"
	managedPreferences = "/Library/Managed Preferences/"
)

// setting returns a flag of the preferences of a program.
func (s *survey) setting(program, name string) plist.Flag {
	for _, folder := range []string{managedPreferences, macPreferences} {
		if _, flags := s.preferences(folder + program + ".plist"); flags[name].Known {
			return flags[name]
		}
	}
	return plist.Flag{}
}

// macUpdates adds nothing if nobody has made a choice, because the default differs by release.
func macUpdates(_ context.Context, s *survey) {
	for _, u := range []struct{ setting, detail string }{
		{"AutomaticallyInstallMacOSUpdates", "Software Update"},
		{"CriticalUpdateInstall", "Security Responses"},
	} {
		if flag := s.setting("com.apple.SoftwareUpdate", u.setting); flag.Known {
			s.add(&inventoryv1.SecurityPosture{Control: "automatic_updates", Product: u.detail}, flag.On)
		}
	}
}

// screenLock adds whether the screen saver asks for a password, if an MDM service says so. What
// people choose themselves is in their keychains.
func screenLock(_ context.Context, s *survey) {
	if _, flags := s.preferences(managedPreferences + "com.apple.screensaver.plist"); flags["askForPassword"].Known {
		s.add(&inventoryv1.SecurityPosture{Control: "screen_lock"}, flags["askForPassword"].On)
	}
}
