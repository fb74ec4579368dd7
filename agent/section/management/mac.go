package management

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"google.golang.org/protobuf/proto"

	"github.com/musterhq/muster/agent/host"
	"github.com/musterhq/muster/agent/section/plist"
	inventoryv1 "github.com/musterhq/muster/proto/muster/inventory/v1"
)

// collectMac is collect for macOS. The configuration managers have the same files as on Linux.
func collectMac(ctx context.Context, s *survey) {
	enrollment(ctx, s)
	domain(ctx, s)
	ldapServers(s)
	macAgents(s)
	agents(s)
}

// mdmHosts are the names of the servers of MDM services, by the provider.
var mdmHosts = []struct{ suffix, provider string }{
	{"manage.microsoft.com", "intune"}, {"jamfcloud.com", "jamf"}, {"kandji.io", "kandji"}, {"iru.com", "kandji"},
	{"awmdm.com", "workspace_one"}, {"mosyle.com", "mosyle"}, {"simplemdm.com", "simplemdm"}, {"meraki.com", "meraki"},
	{"addigy.com", "addigy"}, {"jumpcloud.com", "jumpcloud"}, {"hexnodemdm.com", "hexnode"}, {"fleetdm.com", "fleet"},
}

// enrollment adds the MDM service in which the Mac is enrolled. The profiles are in a database that
// only the system reads.
func enrollment(ctx context.Context, s *survey) {
	out, err := s.host.Output(ctx, host.MDMStatus)
	if err != nil {
		s.fail(err)
		return
	}
	if item := parseEnrollment(string(out)); item != nil {
		s.add(item)
	}
}

// parseEnrollment reads lines such as "MDM enrollment: Yes (User Approved)". It returns nil for a
// Mac that is neither enrolled nor assigned to an organization.
func parseEnrollment(text string) *inventoryv1.Management {
	values := map[string]string{}
	for line := range strings.Lines(text) {
		name, value, _ := strings.Cut(line, ":")
		values[strings.TrimSpace(name)] = strings.TrimSpace(value)
	}
	enrolled := strings.HasPrefix(values["MDM enrollment"], "Yes")
	if !enrolled && !strings.HasPrefix(values["Enrolled via DEP"], "Yes") {
		return nil
	}
	item := &inventoryv1.Management{
		Type: "mdm", Client: "macos", Enrolled: proto.Bool(enrolled), ServerUrl: server(values["MDM server"]),
	}
	_, address, _ := strings.Cut(item.ServerUrl, "://")
	name, _, _ := strings.Cut(address, "/")
	name, _, _ = strings.Cut(name, ":")
	for _, h := range mdmHosts {
		if name == h.suffix || strings.HasSuffix(name, "."+h.suffix) {
			item.Provider = h.provider
		}
	}
	return item
}

const directoryConfigurations = "/Library/Preferences/OpenDirectory/Configurations"

// domain adds the Active Directory domain that the Mac is joined to.
func domain(ctx context.Context, s *survey) {
	if len(s.list(directoryConfigurations+"/Active Directory")) == 0 {
		return
	}
	out, err := s.host.Output(ctx, host.DomainMembership)
	if err == nil && len(bytes.TrimSpace(out)) > 0 { // nothing on a Mac that is not joined
		err = s.addDomain(out)
	}
	s.fail(err)
}

// addDomain reads the property list of dsconfigad.
func (s *survey) addDomain(data []byte) error {
	var state struct {
		General struct {
			Domain  string `plist:"Active Directory Domain"`
			Account string `plist:"Computer Account"`
		} `plist:"General Info"`
	}
	if err := plist.Unmarshal(data, &state); err != nil {
		return fmt.Errorf("domain membership: %w", err)
	}
	if state.General.Domain != "" {
		s.add(&inventoryv1.Management{
			Type: typeDirectory, Provider: "active_directory", Client: "opendirectory", Domain: state.General.Domain,
			DeviceId: strings.TrimSuffix(state.General.Account, "$"), Enrolled: proto.Bool(true),
		})
	}
	return nil
}

// ldapServers adds the LDAP directories, whose files have the names of their servers.
func ldapServers(s *survey) {
	for _, name := range s.list(directoryConfigurations + "/LDAPv3") {
		if address, found := strings.CutSuffix(name, ".plist"); found {
			s.add(&inventoryv1.Management{
				Type: typeDirectory, Provider: "ldap", Client: "opendirectory", Domain: address, ServerUrl: address,
			})
		}
	}
}

// list returns the names in a directory, or none if it does not exist.
func (s *survey) list(directory string) []string {
	entries, err := s.host.ReadDir(directory)
	s.fail(err)
	var names []string
	for _, entry := range entries {
		if !strings.HasPrefix(entry.Name(), ".") {
			names = append(names, entry.Name())
		}
	}
	return names
}

// fail keeps an error, except that a source does not exist.
func (s *survey) fail(err error) {
	if err != nil && !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, host.ErrUnsupported) {
		s.errs = append(s.errs, err)
	}
}

// macManagers are the programs that manage a Mac, by a file of each. key names the preference that
// has the address of the server, if the file is a property list.
var macManagers = []struct{ file, kind, provider, key string }{
	{"/Library/Preferences/com.jamfsoftware.jamf.plist", "mdm", "jamf", "jss_url"},
	{"/Library/Intune/Microsoft Intune Agent.app", "mdm", "intune", ""},
	{"/Library/Kandji", "mdm", "kandji", ""},
	{"/Library/Addigy", "mdm", "addigy", ""},
	{"/Library/Application Support/AirWatch", "mdm", "workspace_one", ""},
	{"/Library/Application Support/Mosyle", "mdm", "mosyle", ""},
	{"/opt/orbit", "mdm", "fleet", ""},
	{"/Library/Preferences/ManagedInstalls.plist", "configuration", "munki", "SoftwareRepoURL"},
}

func macAgents(s *survey) {
	for _, m := range macManagers {
		if !s.exists(m.file) {
			continue
		}
		item := &inventoryv1.Management{Type: m.kind, Provider: m.provider}
		if m.key != "" {
			item.ServerUrl = server(s.preference(m.file, m.key))
		}
		s.add(item)
	}
}

// preference returns the text of a key in a property list.
func (s *survey) preference(file, key string) string {
	var values map[string]plist.Text
	if err := plist.Unmarshal([]byte(s.read(file)), &values); err != nil {
		s.fail(fmt.Errorf("read %s: %w", file, err))
	}
	return string(values[key])
}
