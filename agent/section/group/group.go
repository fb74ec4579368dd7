// Package group collects the section "group": the local groups that give people rights. It leaves
// out the groups of services, which have no members. This is personal data, so the option --without
// group leaves it out. Start reading at collect.
package group

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strconv"
	"strings"

	"google.golang.org/protobuf/proto"

	"github.com/musterhq/muster/agent/host"
	"github.com/musterhq/muster/agent/section"
	inventoryv1 "github.com/musterhq/muster/proto/muster/inventory/v1"
)

// Collector returns the collector of the section group.
func Collector() section.Collector {
	return section.Collector{Name: "group", Collect: collect}
}

// The range of numbers that distributions assign to the groups that people make; 65534 is nogroup
// (login.defs(5)).
const (
	firstGID = 1000
	endGID   = 65534
)

// maxGroups bounds group(5), in bytes. It is large only if it replaces a directory service.
const maxGroups = 4 << 20

const (
	sudoers  = "/etc/sudoers"
	sudoersD = "/etc/sudoers.d"
)

func collect(ctx context.Context, h *host.Host) ([]proto.Message, error) {
	switch {
	case h.IsWindows():
		return collectWindows(h)
	case h.IsMac():
		return collectMac(ctx, h)
	}
	if err := h.RequireLinux(); err != nil {
		return nil, err
	}
	text, err := h.ReadFile("/etc/group", maxGroups)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%w: no /etc/group", host.ErrUnsupported)
	}
	if err != nil {
		return nil, err
	}
	groups := parse(string(text))
	admins, err := administrators(h)
	if errors.Is(err, fs.ErrPermission) {
		err = nil // is_admin stays unset, which says that it is unknown
	} else {
		for _, g := range groups {
			g.IsAdmin = proto.Bool(g.Id == "0" || admins["%"+g.Name] || admins["%#"+g.Id])
		}
	}
	items := make([]proto.Message, len(groups))
	for i, g := range groups {
		items[i] = g
	}
	return items, err
}

// parse reads lines "name:password:gid:member,member".
func parse(text string) []*inventoryv1.Group {
	var groups []*inventoryv1.Group
	for line := range strings.Lines(text) {
		f := strings.Split(strings.TrimRight(line, "\r\n"), ":")
		if len(f) != 4 || f[0] == "" {
			continue
		}
		gid, err := strconv.ParseUint(f[2], 10, 32)
		if err != nil { // a line "+::", which refers to NIS
			continue
		}
		members := strings.FieldsFunc(f[3], func(r rune) bool { return r == ',' || r == ' ' })
		if len(members) == 0 && (gid < firstGID || gid >= endGID) {
			continue
		}
		slices.Sort(members)
		groups = append(groups, &inventoryv1.Group{Name: f[0], Id: f[2], Members: slices.Compact(members)})
	}
	return groups
}

// maxSudoers bounds a file of sudoers, in bytes.
const maxSudoers = 1 << 20

// administrators returns the users and groups that sudoers(5) allows every command. A machine
// without sudo has none. It does not resolve aliases.
func administrators(h *host.Host) (map[string]bool, error) {
	admins := map[string]bool{}
	names := []string{sudoers}
	entries, err := h.ReadDir(sudoersD)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	for _, entry := range entries { // sudo skips names of backups and of package managers
		if name := entry.Name(); !strings.ContainsAny(name, ".~") {
			names = append(names, sudoersD+"/"+name)
		}
	}
	for _, name := range names {
		text, err := h.ReadFile(name, maxSudoers)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, err
		}
		addAdministrators(admins, string(text))
	}
	return admins, nil
}

// addAdministrators reads lines "%group hosts=(runas) NOPASSWD: ALL".
func addAdministrators(admins map[string]bool, text string) {
	for line := range strings.Lines(text) {
		if !strings.HasPrefix(line, "%") {
			continue
		}
		who, rule, found := strings.Cut(line, "=")
		commands := rule
		if i := strings.LastIndexAny(rule, "):"); i >= 0 {
			commands = rule[i+1:]
		}
		if name := strings.Fields(who)[0]; found && strings.TrimSpace(commands) == "ALL" {
			admins[strings.ReplaceAll(name, `\ `, " ")] = true
		}
	}
}
