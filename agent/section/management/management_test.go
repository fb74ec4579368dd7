package management

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"math/big"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/testing/protocmp"

	"github.com/musterhq/muster/agent/host"
	"github.com/musterhq/muster/agent/section/hosttest"
	inventoryv1 "github.com/musterhq/muster/proto/muster/inventory/v1"
)

const sssdText = `[sssd]
domains = Corp.Example.com, lab
config_file_version = 2
services = nss, pam

# written by realmd
[domain/corp.example.com]
id_provider = ad
ad_domain = corp.example.com
ad_server = _srv_, dc1.corp.example.com
krb5_realm = CORP.EXAMPLE.COM
realmd_tags = manages-system joined-with-adcli

[domain/lab]
id_provider = ldap
ldap_uri = ldaps://cn=agent:s3cret@ldap.lab.example.com/
ldap_default_authtok = s3cret

[domain/old]
id_provider = ipa
`

func collected(t *testing.T, files map[string]string) []proto.Message {
	t.Helper()
	files["/etc/os-release"] = "ID=debian\n"
	items, err := collect(t.Context(), hosttest.Tree(t, files))
	if err != nil {
		t.Error(err)
	}
	return items
}

func TestDirectories(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name  string
		files map[string]string
		want  []proto.Message
	}{
		{"none", map[string]string{"/etc/krb5.conf": "[libdefaults]\n default_realm = EXAMPLE.COM\n"}, []proto.Message{}},
		{
			"sssd, with winbind for the same domain",
			map[string]string{
				sssdConf: sssdText, keytab: "x",
				"/etc/samba/smb.conf": "[global]\n  security = ADS\n  realm = CORP.EXAMPLE.COM\n  workgroup = CORP\n",
			},
			[]proto.Message{
				&inventoryv1.Management{
					Type: "directory", Provider: "active_directory", Domain: "corp.example.com", Client: "sssd",
					Realm: "CORP.EXAMPLE.COM", ServerUrl: "dc1.corp.example.com", Enrolled: proto.Bool(true),
				},
				&inventoryv1.Management{
					Type: "directory", Provider: "ldap", Domain: "lab", Client: "sssd", ServerUrl: "ldaps://ldap.lab.example.com/",
				},
			},
		},
		{
			"a part of sssd.conf, not joined",
			map[string]string{sssdConfD + "/ipa.conf": "[domain/ipa.example.com]\nid_provider=ipa\nipa_server=a.example.com\n"},
			[]proto.Message{&inventoryv1.Management{
				Type: "directory", Provider: "ipa", Domain: "ipa.example.com", Client: "sssd", ServerUrl: "a.example.com",
				Enrolled: proto.Bool(false),
			}},
		},
		{
			"winbind",
			map[string]string{
				"/etc/samba/smb.conf":                "; a member\n[Global]\nSecurity = domain\nworkgroup = CORP\nnetbios name = PC7\n",
				"/var/lib/samba/private/secrets.tdb": "x",
			},
			[]proto.Message{&inventoryv1.Management{
				Type: "directory", Provider: "active_directory", Domain: "corp", Client: "winbind", DeviceId: "PC7",
				Enrolled: proto.Bool(true),
			}},
		},
		{"a file server", map[string]string{"/etc/samba/smb.conf": "[global]\nsecurity = user\n"}, []proto.Message{}},
		{
			"keys without a client, Entra ID",
			map[string]string{
				keytab: "x", "/etc/krb5.conf": "[libdefaults]\n\tdefault_realm = EXAMPLE.COM\n",
			},
			[]proto.Message{&inventoryv1.Management{
				Type: "directory", Provider: "kerberos", Domain: "example.com", Realm: "EXAMPLE.COM", Client: "krb5",
				Enrolled: proto.Bool(true),
			}},
		},
		{
			"Entra ID and LDAP",
			map[string]string{
				"/etc/himmelblau/himmelblau.conf": "[global]\ndomain = example.com\n",
				"/etc/nslcd.conf":                 "uid nslcd\nuri ldap://127.0.0.1/\nbase dc=example,dc=net\nbindpw s3cret\n",
			},
			[]proto.Message{
				&inventoryv1.Management{Type: "directory", Provider: "entra_id", Domain: "example.com", Client: "himmelblau"},
				&inventoryv1.Management{Type: "directory", Provider: "ldap", Client: "nslcd", ServerUrl: "ldap://127.0.0.1/"},
			},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(c.want, collected(t, c.files), protocmp.Transform()); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestAgents(t *testing.T) {
	t.Parallel()
	got := collected(t, map[string]string{
		"/etc/default/orbit":                    "ORBIT_FLEET_URL=https://fleet.example.com\nORBIT_ENROLL_SECRET=s3cret\n",
		"/etc/landscape/client.conf":            "[client]\nurl = https://l.example.com/ms\naccount_name = standalone\ncomputer_title = pc7\n",
		"/etc/puppet/puppet.conf":               "[main]\nserver = old\n[agent]\nserver = puppet.example.com\ncertname = pc7.example.com\n",
		"/etc/salt/minion":                      "# master: salt\nmaster: salt.example.com\n",
		"/etc/salt/minion_id":                   "pc7\n",
		"/etc/chef/client.rb":                   "chef_server_url 'https://chef.example.com/organizations/x'\nnode_name \"pc7\"\n",
		"/etc/rhsm/rhsm.conf":                   "[server]\nhostname = subscription.rhsm.redhat.com\n",
		consumerCertificate:                     certificate(t, "3f2e5c1a-consumer"),
		"/var/lib/ubuntu-advantage/status.json": `{"attached": false, "account": {"name": "alice"}}`,
	})
	want := []proto.Message{
		&inventoryv1.Management{Type: "mdm", Provider: "fleet", ServerUrl: "https://fleet.example.com"},
		&inventoryv1.Management{
			Type: "mdm", Provider: "landscape", ServerUrl: "https://l.example.com/ms", TenantId: "standalone", DeviceId: "pc7",
		},
		&inventoryv1.Management{Type: "configuration", Provider: "puppet", ServerUrl: "puppet.example.com", DeviceId: "pc7.example.com"},
		&inventoryv1.Management{Type: "configuration", Provider: "salt", ServerUrl: "salt.example.com", DeviceId: "pc7"},
		&inventoryv1.Management{
			Type: "configuration", Provider: "chef", ServerUrl: "https://chef.example.com/organizations/x", DeviceId: "pc7",
		},
		&inventoryv1.Management{
			Type: "subscription", Provider: "red_hat", ServerUrl: "subscription.rhsm.redhat.com", DeviceId: "3f2e5c1a-consumer",
			Enrolled: proto.Bool(true),
		},
		&inventoryv1.Management{Type: "subscription", Provider: "ubuntu_pro", Enrolled: proto.Bool(false)},
	}
	if diff := cmp.Diff(want, got, protocmp.Transform()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func certificate(t *testing.T, name string) string {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, NotAfter: time.Now().Add(time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
}

// TestDenied: without the right to read sssd.conf, the section is not complete.
func TestDenied(t *testing.T) {
	t.Parallel()
	if os.Geteuid() == 0 {
		t.Skip("root may read every file")
	}
	h := hosttest.Tree(t, map[string]string{"/etc/os-release": "ID=debian\n", sssdConf: sssdText})
	name, err := h.Path(sssdConf)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(name, 0); err != nil {
		t.Fatal(err)
	}
	if _, err := collect(t.Context(), h); !errors.Is(err, os.ErrPermission) {
		t.Errorf("error %v", err)
	}
}

func TestNotLinux(t *testing.T) {
	t.Parallel()
	if _, err := collect(t.Context(), hosttest.Tree(t, nil)); !errors.Is(err, host.ErrUnsupported) {
		t.Errorf("error %v, want %v", err, host.ErrUnsupported)
	}
}

func FuzzSettings(f *testing.F) {
	f.Add(sssdText, "uri")
	f.Add("[\n=\n]a]=\nmaster:\nmaster", "master")
	f.Fuzz(func(t *testing.T, text, key string) {
		all := parse(text)
		all.merge(parse(strings.ToUpper(text)))
		if strings.ContainsAny(word(text, key), " \n") {
			t.Errorf("word %q", word(text, key))
		}
		if s := server(text); strings.Contains(strings.TrimPrefix(s, "@"), "@") && !strings.Contains(s, "://") {
			t.Errorf("server %q", s)
		}
	})
}
