// Package session collects the section "session": who is logged on now, and from where. It never
// collects what they do. This is personal data, so the option --without session leaves it out.
// Start reading at collect.
//
// gopsutil lists the sessions of macOS. On Linux it would start the program loginctl where there is
// no utmp.
package session

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strconv"
	"strings"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/musterhq/muster/agent/host"
	"github.com/musterhq/muster/agent/section"
	inventoryv1 "github.com/musterhq/muster/proto/muster/inventory/v1"
)

// Collector returns the collector of the section session.
func Collector() section.Collector {
	return section.Collector{Name: "session", Collect: collect}
}

// sessions has a file per session. systemd-logind writes them, and its library, which all other
// programs use, reads them (sd-login(3)).
const sessions = "/run/systemd/sessions"

// maxSession bounds a session's file, in bytes; a typical one has 400.
const maxSession = 16 << 10

func collect(ctx context.Context, h *host.Host) ([]proto.Message, error) {
	switch {
	case h.IsWindows():
		return collectWindows(h)
	case h.IsMac():
		return collectMac(h)
	}
	entries, err := h.ReadDir(sessions)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%w: no %s, which systemd-logind writes", host.ErrUnsupported, sessions)
	}
	if err != nil {
		return nil, err
	}
	var found []*inventoryv1.Session
	buf := make([]byte, maxSession)
	for _, entry := range entries {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if strings.HasSuffix(entry.Name(), ".ref") { // a pipe by which logind learns of the end
			continue
		}
		text, err := h.ReadInto(sessions+"/"+entry.Name(), buf)
		if errors.Is(err, fs.ErrNotExist) {
			continue // the user logged off
		}
		if err != nil {
			return nil, err
		}
		if s := parse(string(text)); s != nil {
			found = append(found, s)
		}
	}
	return merge(found), nil
}

// parse reads lines "NAME=value". It returns nil for a session that is not a person's, such as that
// of a greeter, a lock screen or a service, or that is ending.
func parse(text string) *inventoryv1.Session {
	values := map[string]string{}
	for line := range strings.Lines(text) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), "=")
		values[name] = value
	}
	class := values["CLASS"]
	if values["USER"] == "" || class != "user" && class != "user-early" || values["STATE"] == "closing" {
		return nil
	}
	name, domain := split(values["USER"])
	s := &inventoryv1.Session{
		User: name, Domain: domain, Type: "console", Display: values["TYPE"], Service: values["SERVICE"],
		State: values["STATE"], Sessions: proto.Uint32(1),
	}
	if values["REMOTE"] == "1" {
		s.Type, s.RemoteHost = "remote", values["REMOTE_HOST"]
	}
	if micros, err := strconv.ParseInt(values["REALTIME"], 10, 64); err == nil && micros > 0 {
		s.Since = timestamppb.New(time.UnixMicro(micros))
	}
	return s
}

// split splits a login of a directory service, "name@domain" or "DOMAIN\name".
func split(login string) (name, domain string) {
	if domain, name, found := strings.Cut(login, `\`); found {
		return name, domain
	}
	name, domain, _ = strings.Cut(login, "@")
	return name, domain
}

// merge joins the sessions of one user from one place, so that a second terminal does not
// change the inventory. The oldest session describes them.
func merge(found []*inventoryv1.Session) []proto.Message {
	type key struct{ user, domain, kind, remote string }
	slices.SortStableFunc(found, func(a, b *inventoryv1.Session) int {
		return cmp.Or(
			cmp.Compare(a.GetSince().GetSeconds(), b.GetSince().GetSeconds()), cmp.Compare(a.Display, b.Display),
		)
	})
	var items []proto.Message
	first := map[key]*inventoryv1.Session{}
	for _, s := range found {
		k := key{s.User, s.Domain, s.Type, s.RemoteHost}
		if same := first[k]; same != nil {
			*same.Sessions++
			if s.State == "active" {
				same.State = s.State
			}
			continue
		}
		first[k] = s
		items = append(items, s)
	}
	return items
}
