package user

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/musterhq/muster/agent/host"
	"github.com/musterhq/muster/agent/section/homes"
)

// account is a line of passwd(5).
type account struct {
	person   bool
	fullName string
}

// accounts distinguishes people from other accounts.
type accounts struct {
	local map[string]account
	// directory reports whether the machine also uses accounts of a directory service.
	directory bool
}

// maxAccounts bounds passwd(5), in bytes. It is large only if it replaces a directory service.
const maxAccounts = 4 << 20

func readAccounts(h *host.Host) (accounts, error) {
	text, err := h.ReadFile("/etc/passwd", maxAccounts)
	if err != nil {
		return accounts{}, fmt.Errorf("read accounts: %w", err)
	}
	services, err := h.ReadFile("/etc/nsswitch.conf", maxAccounts)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return accounts{}, fmt.Errorf("read sources of accounts: %w", err)
	}
	return accounts{local: parsePasswd(string(text)), directory: usesDirectory(string(services))}, nil
}

// parsePasswd reads lines "login:password:uid:gid:full name,room,phone,…:home:shell".
func parsePasswd(text string) map[string]account {
	list := map[string]account{}
	for line := range strings.Lines(text) {
		f := strings.Split(strings.TrimRight(line, "\r\n"), ":")
		if len(f) != 7 {
			continue
		}
		uid, err := strconv.ParseUint(f[2], 10, 32)
		name, _, _ := strings.Cut(f[4], ",")
		list[f[0]] = account{
			person: err == nil && homes.IsPerson(uid) &&
				!slices.Contains([]string{"nologin", "false"}, path.Base(f[6])),
			fullName: strings.TrimSpace(name),
		}
	}
	return list
}

// usesDirectory looks for a directory service in the line "passwd: files sss" of nsswitch.conf(5).
func usesDirectory(text string) bool {
	for line := range strings.Lines(text) {
		line, _, _ = strings.Cut(line, "#")
		services, found := strings.CutPrefix(strings.TrimSpace(line), "passwd:")
		if found && slices.ContainsFunc(strings.Fields(services), isDirectory) {
			return true
		}
	}
	return false
}

func isDirectory(service string) bool {
	return slices.Contains([]string{"sss", "ldap", "winbind", "nis", "nisplus"}, service)
}

// person splits a login into name and domain and reports whether it belongs to a person. A login
// that is not in passwd(5) belongs to a directory service if it has the form "name@domain" or
// "DOMAIN\name", or if the machine uses one.
func (a accounts) person(login string, cut bool) (name, domain string, ok bool) {
	if known, found := a.local[login]; found {
		return login, "", known.person
	}
	if domain, name, qualified := strings.Cut(login, `\`); qualified {
		return name, domain, domain != "" && name != "" && !cut
	}
	if name, domain, qualified := strings.Cut(login, "@"); qualified {
		if cut { // the end of the domain is missing, so it is ambiguous
			domain = ""
		}
		return name, domain, name != ""
	}
	return login, "", a.directory && !cut
}
