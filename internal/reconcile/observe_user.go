package reconcile

import (
	"slices"
	"strings"

	"github.com/musterhq/muster/internal/inventory"
)

// userFacts are the facts of the section user that Observe reads.
type userFacts struct {
	Name      string `json:"name"`
	Domain    string `json:"domain"`
	FullName  string `json:"full_name"`
	IsPrimary bool   `json:"is_primary"`
}

// primaryUser returns the person whose machine it is. Occasional users are in the section only.
func (m machine) primaryUser() []inventory.Component {
	for _, u := range m.users {
		if u.IsPrimary && strings.TrimSpace(u.Name) != "" {
			return []inventory.Component{m.person(u)}
		}
	}
	return nil
}

// person returns an account as a person. It has an identifier if a directory has the account: it is
// the same person on each machine then. The same login on another machine may be another person.
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
	component := inventory.Component{
		Class:        inventory.ClassPerson,
		Key:          key(login),
		Attributes:   inventory.Attributes(a),
		Relationship: inventory.RelationshipUsedBy,
		Inverse:      true,
	}
	if m.isDirectory(u.Domain) {
		component.Identifiers.Native = []string{"account:" + login}
	}
	return component
}

// commonDomains are the domains that Windows reports if no directory has the account, or without
// naming the directory: every tenant of Entra ID is AzureAD.
var commonDomains = []string{"", ".", "workgroup", "azuread", "microsoftaccount"}

// isDirectory reports whether a domain is that of a directory, and not the machine's own name.
func (m machine) isDirectory(domain string) bool {
	domain = strings.ToLower(strings.TrimSpace(domain))
	if slices.Contains(commonDomains, domain) {
		return false
	}
	hostname, _, _ := strings.Cut(strings.ToLower(m.os.Hostname), ".")
	return domain != hostname && domain != hostname[:min(len(hostname), maxNetBIOSName)]
}

// maxNetBIOSName is the length to which Windows cuts a machine's name where it is a domain
// (Microsoft, "Naming conventions in Active Directory").
const maxNetBIOSName = 15
