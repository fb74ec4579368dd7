package management

import (
	"cmp"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"strings"

	inventoryv1 "github.com/musterhq/muster/proto/muster/inventory/v1"
)

// managers are the programs that manage a machine, by a file that their configuration or
// installation consists of. read adds what the file says to the item; nil if it says nothing.
var managers = []struct {
	file, kind, provider string
	read                 func(s *survey, text string, item *inventoryv1.Management)
}{
	{"/opt/microsoft/intune/bin/intune-agent", "mdm", "intune", nil},
	{"/opt/vmware/ws1-hub/bin/ws1HubUtil", "mdm", "workspace_one", nil},
	{"/opt/jc/jcagent.conf", "mdm", "jumpcloud", nil},
	{"/etc/default/orbit", "mdm", "fleet", func(_ *survey, text string, item *inventoryv1.Management) {
		item.ServerUrl = server(word(text, "ORBIT_FLEET_URL"))
	}},
	{"/etc/landscape/client.conf", "mdm", "landscape", func(_ *survey, text string, item *inventoryv1.Management) {
		client := parse(text)["client"]
		item.ServerUrl, item.TenantId = server(client["url"]), client["account_name"]
		item.DeviceId = client["computer_title"]
	}},
	{"/etc/puppetlabs/puppet/puppet.conf", "configuration", "puppet", puppet},
	{"/etc/puppet/puppet.conf", "configuration", "puppet", puppet},
	{"/etc/salt/minion", "configuration", "salt", func(s *survey, text string, item *inventoryv1.Management) {
		item.ServerUrl, item.DeviceId = word(text, "master"), strings.TrimSpace(s.read("/etc/salt/minion_id"))
	}},
	{"/etc/chef/client.rb", "configuration", "chef", func(_ *survey, text string, item *inventoryv1.Management) {
		item.ServerUrl, item.DeviceId = server(word(text, "chef_server_url")), word(text, "node_name")
	}},
	{"/var/cfengine/policy_server.dat", "configuration", "cfengine", cfengine},
	{"/etc/rhsm/rhsm.conf", "subscription", "red_hat", redHat},
	{"/etc/SUSEConnect", "subscription", "suse", func(s *survey, text string, item *inventoryv1.Management) {
		item.ServerUrl = server(word(text, "url"))
		item.Enrolled = s.presence("/etc/zypp/credentials.d/SCCcredentials")
	}},
	{"/var/lib/ubuntu-advantage/status.json", "subscription", "ubuntu_pro", ubuntuPro},
}

// agents adds the managers that are installed.
func agents(s *survey) {
	for _, m := range managers {
		if !s.exists(m.file) {
			continue
		}
		item := &inventoryv1.Management{Type: m.kind, Provider: m.provider}
		if m.read != nil {
			m.read(s, s.read(m.file), item)
		}
		s.add(item)
	}
}

// puppet reads puppet.conf, in which the section "agent" overrides "main".
func puppet(_ *survey, text string, item *inventoryv1.Management) {
	all := parse(text)
	item.ServerUrl = cmp.Or(all["agent"]["server"], all["main"]["server"])
	item.DeviceId = cmp.Or(all["agent"]["certname"], all["main"]["certname"])
}

// cfengine reads a file that consists of the server's name.
func cfengine(_ *survey, text string, item *inventoryv1.Management) {
	item.ServerUrl = strings.TrimSpace(text)
}

func ubuntuPro(_ *survey, text string, item *inventoryv1.Management) {
	var status struct {
		Attached *bool `json:"attached"`
	}
	if json.Unmarshal([]byte(text), &status) == nil {
		item.Enrolled = status.Attached
	}
}

const consumerCertificate = "/etc/pki/consumer/cert.pem"

// redHat reads the server of subscription-manager. A registered machine has a certificate whose
// common name is the machine's id.
func redHat(s *survey, text string, item *inventoryv1.Management) {
	item.ServerUrl = parse(text)["server"]["hostname"]
	item.Enrolled = s.presence(consumerCertificate)
	if !item.GetEnrolled() {
		return
	}
	block, _ := pem.Decode([]byte(s.read(consumerCertificate)))
	if block == nil {
		return
	}
	if certificate, err := x509.ParseCertificate(block.Bytes); err == nil {
		item.DeviceId = certificate.Subject.CommonName
	}
}
