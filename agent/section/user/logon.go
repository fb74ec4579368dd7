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

// ofLogons gives the people among those of whom Windows keeps that they logged on, the last one as the primary user.
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

// firstRID is the first relative identifier that Windows gives to accounts that people make; those below are built in,
// as 500, the administrator (Microsoft, "Well-known SIDs").
const firstRID = 1000

// personal reports whether a SID is one of an account that people made: of the machine, of a domain, or of Entra ID.
// Of a Windows that does not say it, nothing is known against the account.
func personal(sid string) bool {
	if sid == "" || strings.HasPrefix(sid, "S-1-12-1-") {
		return true
	}
	rid, err := strconv.ParseUint(sid[strings.LastIndexByte(sid, '-')+1:], 10, 32)
	return err == nil && rid >= firstRID && strings.HasPrefix(sid, "S-1-5-21-")
}

// split gives name and domain of an account. Behind "AzureAD" stands a name made of the person's full name, which
// others may have too: there what was typed in says it better, if it is name and domain.
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
