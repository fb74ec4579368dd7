package user

import (
	"cmp"
	"context"
	"path"
	"slices"
	"strings"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/musterhq/muster/agent/host"
	"github.com/musterhq/muster/agent/section/dscl"
	"github.com/musterhq/muster/agent/section/plist"
	inventoryv1 "github.com/musterhq/muster/proto/muster/inventory/v1"
)

// loginWindow names the user who logged on at the screen last.
const loginWindow = "/Library/Preferences/com.apple.loginwindow.plist"

// maxPreferences bounds a file of preferences, in bytes.
const maxPreferences = 256 << 10

// collectMac lists the people who have a home on the machine. macOS keeps no record of sessions
// that ended: the primary user is who is at the screen, else who was there last.
func collectMac(ctx context.Context, h *host.Host) ([]proto.Message, error) {
	records, err := dscl.Read(ctx, h, host.DirectoryUsers)
	if err != nil {
		return nil, err
	}
	last, since := atScreen(h)
	if last == "" {
		last = lastUser(h)
	}
	var users []*inventoryv1.User
	for _, r := range records {
		login := r.First(dscl.Name)
		if !isPerson(r) || login != last && !exists(h, r.First(dscl.Home)) {
			continue
		}
		user := &inventoryv1.User{
			Name: login, Domain: domainOf(r.First(dscl.OriginalNode)), FullName: r.First(dscl.FullName),
			IsPrimary: login == last,
		}
		if user.IsPrimary && !since.IsZero() {
			user.LastLogin = timestamppb.New(since)
		}
		users = append(users, user)
	}
	slices.SortFunc(users, func(a, b *inventoryv1.User) int {
		if a.IsPrimary != b.IsPrimary {
			if a.IsPrimary {
				return -1
			}
			return 1
		}
		return cmp.Compare(a.Name, b.Name)
	})
	return messages(users[:min(len(users), maxUsers)]), nil
}

func isPerson(r dscl.Record) bool {
	shell := path.Base(r.First(dscl.Shell))
	return dscl.IsMadeByPeople(r.First(dscl.UserID)) && !dscl.IsService(r.First(dscl.Name)) &&
		shell != "nologin" && shell != "false"
}

func exists(h *host.Host, home string) bool {
	_, err := h.Stat(home)
	return err == nil && path.IsAbs(home)
}

// domainOf returns the directory of an account that was copied from one:
// "/Active Directory/EXAMPLE/All Domains" or "/LDAPv3/ldap.example.com".
func domainOf(node string) string {
	f := strings.Split(strings.Trim(node, "/"), "/")
	if len(f) < 2 || f[0] == "Local" {
		return ""
	}
	return f[1]
}

// lastUser returns "" if nobody has logged on.
func lastUser(h *host.Host) string {
	data, err := h.ReadFile(loginWindow, maxPreferences)
	if err != nil {
		return ""
	}
	var window struct {
		User string `plist:"lastUserName"`
	}
	if err := plist.Unmarshal(data, &window); err != nil {
		return ""
	}
	return window.User
}

// atScreen returns who is logged on at the screen, and since when. After a change of users several
// are; then it returns the last one. login is "" if nobody is, or if that is not known.
func atScreen(h *host.Host) (login string, since time.Time) {
	open, err := h.LoggedOn()
	if err != nil {
		return "", time.Time{}
	}
	var latest host.LoggedOn
	for _, o := range open {
		if o.Terminal == "console" && !dscl.IsService(o.User) && o.Since.After(latest.Since) {
			latest = o
		}
	}
	return latest.User, latest.Since
}
