package management

import (
	"cmp"
	"errors"
	"io/fs"
	"slices"
	"strings"

	inventoryv1 "github.com/musterhq/muster/proto/muster/inventory/v1"
)

// typeDirectory is the type of items that name a directory service.
const typeDirectory = "directory"

// keytab contains the machine's own Kerberos keys; a join to a domain writes it (krb5.conf(5)).
const keytab = "/etc/krb5.keytab"

const (
	sssdConf  = "/etc/sssd/sssd.conf"
	sssdConfD = "/etc/sssd/conf.d"
)

// sssd adds the domains of sssd.conf(5), which realmd writes too.
func sssd(s *survey) {
	all := parse(s.read(sssdConf))
	entries, err := s.host.ReadDir(sssdConfD)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		s.errs = append(s.errs, err)
	}
	for _, entry := range entries {
		if strings.HasSuffix(entry.Name(), ".conf") && !strings.HasPrefix(entry.Name(), ".") {
			all.merge(parse(s.read(sssdConfD + "/" + entry.Name())))
		}
	}
	enabled := list(strings.ToLower(all["sssd"]["domains"]))
	var names []string
	for section := range all {
		name, found := strings.CutPrefix(section, "domain/")
		if found && (len(enabled) == 0 || slices.Contains(enabled, name)) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	for _, name := range names {
		s.addSSSD(name, all["domain/"+name])
	}
}

func (s *survey) addSSSD(name string, domain map[string]string) {
	item := &inventoryv1.Management{Type: typeDirectory, Client: "sssd", Realm: domain["krb5_realm"]}
	switch id := domain["id_provider"]; id {
	case "ad":
		item.Provider, item.Domain = "active_directory", cmp.Or(domain["ad_domain"], name)
		item.ServerUrl, item.DeviceId = first(domain["ad_server"]), domain["ad_hostname"]
	case "ipa":
		item.Provider, item.Domain = "ipa", cmp.Or(domain["ipa_domain"], name)
		item.ServerUrl, item.DeviceId = first(domain["ipa_server"]), domain["ipa_hostname"]
	case "ldap":
		item.Provider, item.Domain, item.ServerUrl = "ldap", name, server(first(domain["ldap_uri"]))
	case "", "files", "proxy": // local accounts
		return
	default:
		item.Provider, item.Domain = id, name
	}
	if item.Provider != "ldap" {
		item.Enrolled = s.presence(cmp.Or(domain["krb5_keytab"], keytab))
	}
	s.add(item)
}

// first returns the first server of a list; "_srv_" stands for those that DNS names.
func first(servers string) string {
	for _, name := range list(servers) {
		if name != "_srv_" {
			return name
		}
	}
	return ""
}

// winbind adds the domain that Samba is a member of (smb.conf(5)).
func winbind(s *survey) {
	global := parse(s.read("/etc/samba/smb.conf"))["global"]
	mode := strings.ToLower(global["security"])
	if mode != "ads" && mode != "domain" {
		return
	}
	s.add(&inventoryv1.Management{
		Type: typeDirectory, Provider: "active_directory", Client: "winbind",
		Domain: cmp.Or(global["realm"], global["workgroup"]), Realm: global["realm"],
		DeviceId: global["netbios name"],
		// Samba keeps the password of the machine's account in it.
		Enrolled: s.presence("/var/lib/samba/private/secrets.tdb"),
	})
}

// himmelblau adds the Entra ID tenants of the himmelblau daemon.
func himmelblau(s *survey) {
	global := parse(s.read("/etc/himmelblau/himmelblau.conf"))["global"]
	for _, domain := range list(cmp.Or(global["domain"], global["domains"])) {
		s.add(&inventoryv1.Management{
			Type: typeDirectory, Provider: "entra_id", Client: "himmelblau", Domain: domain,
			TenantId: global["tenant_id"],
		})
	}
}

// nslcd adds the LDAP directory of nslcd.conf(5).
func nslcd(s *survey) {
	if uri := word(s.read("/etc/nslcd.conf"), "uri"); uri != "" {
		s.add(&inventoryv1.Management{Type: typeDirectory, Provider: "ldap", Client: "nslcd", ServerUrl: server(uri)})
	}
}

// kerberos adds the default realm of a machine with Kerberos keys that none of the clients above
// manages.
func kerberos(s *survey) {
	if len(s.items) > 0 || !s.exists(keytab) {
		return
	}
	realm := parse(s.read("/etc/krb5.conf"))["libdefaults"]["default_realm"]
	if realm == "" {
		return
	}
	enrolled := true
	s.add(&inventoryv1.Management{
		Type: typeDirectory, Provider: "kerberos", Client: "krb5", Domain: realm, Realm: realm, Enrolled: &enrolled,
	})
}
