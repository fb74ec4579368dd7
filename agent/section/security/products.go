package security

import (
	"cmp"
	"context"
	"strconv"
	"strings"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	inventoryv1 "github.com/musterhq/muster/proto/muster/inventory/v1"
)

// firewallProducts are the programs that load rules into the kernel, by a file of each.
var firewallProducts = []struct{ name, file, unit string }{
	{"firewalld", "/usr/sbin/firewalld", "firewalld.service"},
	{"nftables", "/usr/sbin/nft", "nftables.service"},
	{"iptables-persistent", "/usr/sbin/netfilter-persistent", "netfilter-persistent.service"},
	{"iptables", "/usr/libexec/iptables/iptables.init", "iptables.service"},
}

// firewalls adds the installed firewalls by whether they start at boot. The rules in the kernel are
// left out, because the agent would need the right to change them.
func firewalls(_ context.Context, s *survey) {
	found := false
	if configuration := s.read("/etc/ufw/ufw.conf"); configuration != "" {
		found = true
		s.add(&inventoryv1.SecurityPosture{Control: "firewall", Product: "ufw"},
			setting(configuration, "ENABLED", "=") == "yes" && (s.starts("ufw.service", "ufw")))
	}
	for _, p := range firewallProducts {
		if !s.exists(p.file) {
			continue
		}
		found = true
		on := s.starts(p.unit, strings.TrimSuffix(p.unit, ".service"))
		if running := s.runs(p.unit); running != nil {
			on = on || *running
		}
		s.add(&inventoryv1.SecurityPosture{Control: "firewall", Product: p.name}, on)
	}
	if !found {
		s.unknown(&inventoryv1.SecurityPosture{Control: "firewall"}, "none installed")
	}
}

// setting returns the value of a line "name=value" without quotes and comment.
func setting(text, name, separator string) string {
	value := ""
	for line := range strings.Lines(text) {
		key, rest, found := strings.Cut(strings.TrimSpace(line), separator)
		if found && strings.TrimSpace(key) == name {
			rest, _, _ = strings.Cut(rest, "#")
			value = strings.Trim(strings.TrimSpace(rest), `"';`)
		}
	}
	return value
}

// antivirusProducts are programs against malware, by the directory in which each is installed.
var antivirusProducts = []struct {
	name, directory string
	units           []string
}{
	{"ClamAV", "/var/lib/clamav", []string{"clamav-daemon.service", "clamd@scan.service", "clamd.service"}},
	{"Microsoft Defender for Endpoint", "/opt/microsoft/mdatp", []string{"mdatp.service"}},
	{"CrowdStrike Falcon", "/opt/CrowdStrike", []string{"falcon-sensor.service"}},
	{"SentinelOne", "/opt/sentinelone", []string{"sentinelone.service"}},
	{"Sophos Protection", "/opt/sophos-spl", []string{"sophos-spl.service"}},
	{"ESET Endpoint Antivirus", "/opt/eset/eea", []string{"eea.service"}},
	{"ESET Server Security", "/opt/eset/efs", []string{"efs.service"}},
	{"Trend Micro Deep Security Agent", "/opt/ds_agent", []string{"ds_agent.service"}},
	{"Bitdefender Endpoint Security Tools", "/opt/bitdefender-security-tools", []string{"bdsec.service"}},
	{"Kaspersky Endpoint Security", "/opt/kaspersky/kesl", []string{"kesl.service"}},
	{"Trellix Endpoint Security", "/opt/McAfee/ens/tp", []string{"mfetpd.service"}},
	{"Cortex XDR", "/opt/traps", []string{"traps_pmd.service"}},
	{"Carbon Black Cloud", "/opt/carbonblack/psc", []string{"cbagentd.service"}},
	{"Cisco Secure Endpoint", "/opt/cisco/amp", []string{"cisco-amp.service"}},
	{"Elastic Endpoint", "/opt/Elastic/Endpoint", []string{"ElasticEndpoint.service"}},
	{"Wazuh", "/var/ossec/bin", []string{"wazuh-agent.service"}},
}

func antivirus(_ context.Context, s *survey) {
	for _, p := range antivirusProducts {
		if !s.exists(p.directory) {
			continue
		}
		item := &inventoryv1.SecurityPosture{Control: "antivirus", Product: p.name}
		if p.name == "ClamAV" {
			clamSignatures(s, item)
		}
		if running := s.runs(p.units...); running != nil {
			s.add(item, *running)
		} else {
			s.unknown(item, "installed")
		}
	}
}

// clamHeader is the length of the header of ClamAV's signature files, in bytes.
const clamHeader = 512

// clamSignatures reads the header of the daily signatures, "ClamAV-VDB:18 Sep 2014 10-48
// -0400:19394:1095:63:MD5:signature:builder:1411050500", with the version third and the time of
// the build last.
func clamSignatures(s *survey, item *inventoryv1.SecurityPosture) {
	for _, name := range []string{"/var/lib/clamav/daily.cld", "/var/lib/clamav/daily.cvd"} {
		// An error means that the file is longer than the buffer, or does not exist.
		header, _ := s.host.ReadInto(name, make([]byte, clamHeader))
		if version, at, ok := parseClamHeader(string(header)); ok {
			item.SignatureVersion, item.SignatureDate = version, timestamppb.New(at)
			return
		}
	}
}

func parseClamHeader(header string) (version string, at time.Time, ok bool) {
	f := strings.Split(strings.TrimRight(header, " \x00\n"), ":")
	if len(f) < 9 || f[0] != "ClamAV-VDB" {
		return "", time.Time{}, false
	}
	seconds, err := strconv.ParseInt(f[8], 10, 33)
	return f[2], time.Unix(seconds, 0), err == nil && seconds > 0
}

// remoteLogin adds the SSH server, if it is installed.
func remoteLogin(_ context.Context, s *survey) {
	if !s.exists("/usr/sbin/sshd") {
		return
	}
	on := s.starts("ssh.service", "sshd.service", "ssh.socket", "sshd.socket", "sshd")
	if running := s.runs("ssh.service", "sshd.service"); running != nil {
		on = on || *running
	}
	s.add(&inventoryv1.SecurityPosture{Control: "remote_login", Product: "OpenSSH"}, on)
}

const aptConfiguration = "/etc/apt/apt.conf.d"

// automaticUpdates adds the programs that install updates without a person.
func automaticUpdates(_ context.Context, s *survey) {
	if s.exists("/usr/bin/unattended-upgrade") {
		value := ""
		entries, err := s.host.ReadDir(aptConfiguration)
		if err != nil {
			entries = nil
		}
		for _, entry := range entries { // a later file overrides an earlier one (apt.conf(5))
			text := s.read(aptConfiguration + "/" + entry.Name())
			value = cmp.Or(setting(text, "APT::Periodic::Unattended-Upgrade", " "), value)
		}
		s.add(&inventoryv1.SecurityPosture{Control: "automatic_updates", Product: "unattended-upgrades"},
			value != "" && value != "0")
	}
	if configuration := s.read("/etc/dnf/automatic.conf"); configuration != "" {
		installs := setting(configuration, "apply_updates", "=") == "yes" &&
			s.starts("dnf-automatic.timer", "dnf5-automatic.timer")
		s.add(&inventoryv1.SecurityPosture{Control: "automatic_updates", Product: "dnf-automatic"},
			installs || s.starts("dnf-automatic-install.timer"))
	}
	if s.exists("/usr/sbin/transactional-update") {
		s.add(&inventoryv1.SecurityPosture{Control: "automatic_updates", Product: "transactional-update"},
			s.starts("transactional-update.timer"))
	}
}
