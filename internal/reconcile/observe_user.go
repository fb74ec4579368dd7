package reconcile

import (
	"slices"
	"strings"

	"github.com/musterhq/muster/internal/inventory"
)

// userFacts are those of the section user that are read here.
type userFacts struct {
	Name      string `json:"name"`
	Domain    string `json:"domain"`
	FullName  string `json:"full_name"`
	IsPrimary bool   `json:"is_primary"`
}

// primaryUser is the person whose machine it is. Those who were there for an hour are in the section only.
func (m machine) primaryUser() []inventory.Component {
	for _, u := range m.users {
		if u.IsPrimary && strings.TrimSpace(u.Name) != "" {
			return []inventory.Component{m.person(u)}
		}
	}
	return nil
}

// person has an identifier if a directory knows the account: it is the same person on each machine then. An account of
// one machine is known by that machine alone, for the same login elsewhere may be somebody else's.
func (m machine) person(u userFacts) inventory.Component {
	a := attributes{}
	a.text("name", u.Name)
	a.text("name", u.FullName)
	a.text("login", u.Name)
	a.text("domain", u.Domain)
	login := strings.ToLower(u.Name)
	if u.Domain != "" {
		login = strings.ToLower(u.Domain) + `\` + login
	}
	part := inventory.Component{
		Class:        inventory.ClassPerson,
		Key:          key(login),
		Attributes:   inventory.Attributes(a),
		Relationship: inventory.RelationshipUsedBy,
		Inverse:      true,
	}
	if m.isDirectory(u.Domain) {
		part.Identifiers.Native = []string{"account:" + login}
	}
	return part
}

// commonDomains are what Windows says where no directory has the account, or where it does not say which: each tenant
// of Entra ID is AzureAD.
var commonDomains = []string{"", ".", "workgroup", "azuread", "microsoftaccount"}

// isDirectory reports whether a domain is a directory's, and not the machine's own name.
func (m machine) isDirectory(domain string) bool {
	domain = strings.ToLower(strings.TrimSpace(domain))
	if slices.Contains(commonDomains, domain) {
		return false
	}
	hostname, _, _ := strings.Cut(strings.ToLower(m.os.Hostname), ".")
	return domain != hostname && domain != hostname[:min(len(hostname), maxNetBIOSName)]
}

// maxNetBIOSName is the length to which Windows cuts a machine's name where it stands for a domain (Microsoft, "Naming
// conventions in Active Directory").
const maxNetBIOSName = 15
