package management

import (
	"cmp"
	"errors"
	"io/fs"
	"slices"
	"strings"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/musterhq/muster/agent/host"
	inventoryv1 "github.com/musterhq/muster/proto/muster/inventory/v1"
)

// Registry keys of the managers of Windows.
const (
	enrollments   = `HKLM\SOFTWARE\Microsoft\Enrollments`
	omaAccounts   = `HKLM\SOFTWARE\Microsoft\Provisioning\OMADM\Accounts\`
	updatePolicy  = `HKLM\SOFTWARE\Policies\Microsoft\Windows\WindowsUpdate`
	updateClient  = `HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\WindowsUpdate`
	configMgr     = `HKLM\SOFTWARE\Microsoft\SMS\Mobile Client`
	configMgrInfo = `HKLM\SOFTWARE\Microsoft\CCMSetup`
)

// windowsSources are in order of precedence, as sources.
var windowsSources = []func(s *survey){activeDirectory, entraID, mdm, updateServer, configurationManager}

func collectWindows(h *host.Host) ([]proto.Message, error) {
	s := &survey{host: h}
	for _, source := range windowsSources {
		source(s)
	}
	return s.messages(), errors.Join(s.errs...)
}

// key returns a key without values if it does not exist or cannot be read.
func (s *survey) key(path string) (host.RegistryKey, bool) {
	key, err := s.host.RegistryKey(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		s.errs = append(s.errs, err)
	}
	return key, err == nil
}

// supported keeps an error unless this release of Windows lacks the interface.
func (s *survey) supported(err error) bool {
	if err != nil && !errors.Is(err, host.ErrUnsupported) {
		s.errs = append(s.errs, err)
	}
	return err == nil
}

func activeDirectory(s *survey) {
	domain, err := s.host.Domain()
	if !s.supported(err) || !domain.Member() {
		return
	}
	s.add(&inventoryv1.Management{
		Type: typeDirectory, Provider: "active_directory", Client: "windows", Domain: cmp.Or(domain.DNS, domain.Name),
		Realm: strings.ToUpper(domain.DNS), Enrolled: proto.Bool(true),
	})
}

// entraID adds the tenant that the machine is joined to. That a user has registered the machine
// with another tenant is the user's matter.
func entraID(s *survey) {
	join, err := s.host.EntraJoin()
	const device = 1 // DSREG_DEVICE_JOIN
	if !s.supported(err) || join.Type != device {
		return
	}
	_, domain, _ := strings.Cut(join.User, "@")
	s.add(&inventoryv1.Management{
		Type: typeDirectory, Provider: "entra_id", Client: "windows", Domain: domain, TenantId: join.TenantID,
		DeviceId: join.DeviceID, User: join.User, Enrolled: proto.Bool(true),
	})
}

// mdmProviders are the services for mobile device management by a part of their servers' names.
var mdmProviders = []struct{ server, name string }{
	{".manage.microsoft.com", "intune"},
	{".awmdm.com", "workspace_one"},
	{".jumpcloud.com", "jumpcloud"},
	{".meraki.com", "meraki"},
}

// mdm adds the services that manage the machine by the protocol of Windows. Windows also keeps
// enrollments of its own, which have no server.
func mdm(s *survey) {
	list, _ := s.key(enrollments)
	slices.Sort(list.SubKeys)
	for _, id := range list.SubKeys {
		path := enrollments + `\` + id
		key, _ := s.key(path)
		provider, url := key.Text("ProviderID"), key.Text("DiscoveryServiceFullURL")
		if state, _ := key.Number("EnrollmentState"); state != 1 || provider == "" || url == "" {
			continue
		}
		client, _ := s.key(path + `\DMClient\` + provider)
		item := &inventoryv1.Management{
			Type: "mdm", Provider: provider, Client: "windows", ServerUrl: server(url), User: key.Text("UPN"),
			TenantId: key.Text("AADTenantID"), DeviceId: client.Text("EntDMID"), Enrolled: proto.Bool(true),
		}
		for _, known := range mdmProviders {
			if strings.Contains(strings.ToLower(url), known.server) {
				item.Provider = known.name
			}
		}
		item.LastContact = s.lastContact(id)
		s.add(item)
	}
}

// lastContact returns the last success, such as "20240508T121314Z". Only administrators may read
// it.
func (s *survey) lastContact(enrollment string) *timestamppb.Timestamp {
	key, err := s.host.RegistryKey(omaAccounts + enrollment + `\Protected\ConnInfo`)
	if err != nil {
		return nil
	}
	at, err := time.Parse("20060102T150405Z", key.Text("ServerLastSuccessTime"))
	if err != nil {
		return nil
	}
	return timestamppb.New(at)
}

// updateServer adds the server from which the machine takes its updates, if it is not Microsoft's.
func updateServer(s *survey) {
	policy, _ := s.key(updatePolicy)
	url := policy.Text("WUServer")
	if url == "" {
		return
	}
	automatic, _ := s.key(updatePolicy + `\AU`)
	used, _ := automatic.Number("UseWUServer")
	client, _ := s.key(updateClient)
	s.add(&inventoryv1.Management{
		Type: "updates", Provider: "wsus", Client: "windows", ServerUrl: server(url),
		DeviceId: client.Text("SusClientId"), TenantId: policy.Text("TargetGroup"), Enrolled: proto.Bool(used == 1),
	})
}

// configurationManager adds the site of Microsoft Configuration Manager.
func configurationManager(s *survey) {
	key, ok := s.key(configMgr)
	if !ok {
		return
	}
	site := key.Text("AssignedSiteCode")
	setup, _ := s.key(configMgrInfo)
	item := &inventoryv1.Management{
		Type: "configuration", Provider: "configmgr", Client: "ccmexec", TenantId: site,
		ServerUrl: server(setup.Text("LastValidMP")), Enrolled: proto.Bool(site != ""),
	}
	if directory := s.windowsDirectory(); directory != "" {
		client := parse(s.read(directory + "/SMSCFG.ini"))["configuration - client properties"]
		item.DeviceId = strings.TrimPrefix(client["sms unique identifier"], "GUID:")
	}
	s.add(item)
}

func (s *survey) windowsDirectory() string {
	key, _ := s.key(`HKLM\SOFTWARE\Microsoft\Windows NT\CurrentVersion`)
	return strings.ReplaceAll(key.Text("SystemRoot"), `\`, "/")
}
