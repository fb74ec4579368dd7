package user

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/musterhq/muster/agent/host"
	inventoryv1 "github.com/musterhq/muster/proto/muster/inventory/v1"
)

// ofLogons returns the people in the logons that Windows records. The last logon is the primary
// user.
func ofLogons(logons []host.Logon) []*inventoryv1.User {
	logons = slices.SortedFunc(slices.Values(logons), func(a, b host.Logon) int {
		return cmp.Or(b.LoadedAt.Compare(a.LoadedAt), cmp.Compare(a.Account, b.Account))
	})
	var users []*inventoryv1.User
	for _, l := range logons {
		name, domain := split(l)
		if name == "" || !personal(l.SID) {
			continue
		}
		user := &inventoryv1.User{Name: name, Domain: domain, FullName: l.DisplayName, IsPrimary: l.Last}
		if !l.LoadedAt.IsZero() {
			user.LastLogin = timestamppb.New(l.LoadedAt)
		}
		if len(users) < maxUsers || l.Last {
			users = append(users, user)
		}
	}
	return users
}

// firstRID is the first relative identifier that Windows assigns to accounts that people create.
// Lower ones are built in, such as 500, the administrator (Microsoft, "Well-known SIDs").
const firstRID = 1000

// personal reports whether a SID belongs to an account that people created: of the machine, of a
// domain, or of Entra ID. It returns true if the SID is unknown.
func personal(sid string) bool {
	if sid == "" || strings.HasPrefix(sid, "S-1-12-1-") {
		return true
	}
	rid, err := strconv.ParseUint(sid[strings.LastIndexByte(sid, '-')+1:], 10, 32)
	return err == nil && rid >= firstRID && strings.HasPrefix(sid, "S-1-5-21-")
}

// split returns the name and the domain of an account. In the domain "AzureAD" the name is the
// person's full name, which is not unique, so the typed name is used instead if it has a domain.
func split(l host.Logon) (name, domain string) {
	domain, name, qualified := strings.Cut(l.Account, `\`)
	if !qualified {
		domain, name = "", l.Account
	}
	if domain == "." {
		domain = ""
	}
	principal := l.Principal[strings.LastIndexByte(l.Principal, '\\')+1:]
	user, realm, found := strings.Cut(principal, "@")
	if found && user != "" && (name == "" || strings.EqualFold(domain, "AzureAD")) {
		return user, realm
	}
	return name, domain
}
