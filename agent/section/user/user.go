// Package user collects the section "user": the people who log on to the machine, from the
// machine's own session records, and its primary user. It never collects more than a name, a domain
// and the last logon of each. This is personal data, so the option --without user leaves it out.
// Start reading at collect.
//
// Linux has wtmp or its successor wtmpdb, which record sessions; those of some weeks count.
// Sessions at the machine's own screen determine the primary user; remote sessions, as by ssh,
// count only if nobody used the screen.
// Windows has no such record that every user may read: it records the last logon at the console and
// the local accounts that have a profile. macOS records the last logon at the screen and has the
// accounts in its directory service.
package user

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/musterhq/muster/agent/host"
	"github.com/musterhq/muster/agent/section"
	inventoryv1 "github.com/musterhq/muster/proto/muster/inventory/v1"
)

// Collector returns the collector of the section user.
func Collector() section.Collector {
	return section.Collector{Name: "user", Collect: collect}
}

// maxUsers bounds the items. On a machine with more users, those with the longest presence are
// kept.
const maxUsers = 16

func collect(ctx context.Context, h *host.Host) ([]proto.Message, error) {
	if h.IsMac() {
		return collectMac(ctx, h)
	}
	logons, err := h.Logons()
	if !errors.Is(err, host.ErrUnsupported) {
		return messages(ofLogons(logons)), err
	}
	records, err := readRecords(ctx, h)
	if len(records) == 0 {
		return nil, err
	}
	if started, ok := startOf(h, h.Now()); ok && givenUp(records, started) {
		return nil, fmt.Errorf("%w: no record of sessions since %s, although the machine has started since",
			host.ErrUnsupported, records[len(records)-1].at.UTC().Format(time.DateOnly))
	}
	known, accountsErr := readAccounts(h)
	if accountsErr != nil {
		return nil, accountsErr
	}
	return messages(rank(presences(records, until(h, records)), known)), err
}

// until returns the time up to which the records are valid.
func until(h *host.Host, records []record) time.Time {
	last, now := records[len(records)-1].at, h.Now()
	started, ok := startOf(h, now)
	if !ok {
		return last
	}
	return lastTo(last, now, started)
}

// startOf returns when the machine was started.
func startOf(h *host.Host, now time.Time) (time.Time, bool) {
	text, _, _ := strings.Cut(h.Attribute("/proc/uptime"), " ")
	uptime, err := time.ParseDuration(text + "s")
	return now.Add(-uptime), h.Live() && err == nil
}

// givenUp reports whether the system has stopped to write the records: it writes one at each start,
// and the last one is from long before. Distributions that no longer write wtmp keep the old file.
// A container has no records of starts.
func givenUp(records []record, started time.Time) bool {
	if !slices.ContainsFunc(records, func(r record) bool { return r.kind == bootTime }) {
		return false
	}
	return records[len(records)-1].at.Before(started.Add(-clockSkew))
}

// clockSkew is the error of a hardware clock before the network corrects it, as with an empty
// battery or in another time zone.
const clockSkew = 48 * time.Hour

// rank returns the users, those with the longest presence first, and marks the first one as
// primary.
func rank(all map[string]*presence, known accounts) []*inventoryv1.User {
	var people []*presence
	for _, p := range all {
		if _, _, ok := known.person(p.login, p.cut); ok {
			people = append(people, p)
		}
	}
	slices.SortFunc(people, compare)
	people = people[:min(len(people), maxUsers)]
	var users []*inventoryv1.User
	for i, p := range people {
		name, domain, _ := known.person(p.login, p.cut)
		users = append(users, &inventoryv1.User{
			Name: name, Domain: domain, FullName: known.local[p.login].fullName, IsPrimary: i == 0,
			LastLogin: timestamppb.New(p.lastLogin),
		})
	}
	return users
}

// compare sorts users with console sessions first, then by time. The remaining criteria make the
// order total.
func compare(a, b *presence) int {
	return cmp.Or(
		cmp.Compare(min(b.sessions, 1), min(a.sessions, 1)),
		cmp.Compare(b.console.total, a.console.total),
		cmp.Compare(b.remote.total, a.remote.total),
		b.lastLogin.Compare(a.lastLogin),
		cmp.Compare(a.login, b.login),
	)
}

func messages(users []*inventoryv1.User) []proto.Message {
	items := make([]proto.Message, len(users))
	for i, user := range users {
		items[i] = user
	}
	return items
}
