package group

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"google.golang.org/protobuf/proto"

	"github.com/musterhq/muster/agent/host"
	inventoryv1 "github.com/musterhq/muster/proto/muster/inventory/v1"
)

// administratorsSID is that of the built-in group, whose name depends on the language (Microsoft,
// "Well-known SIDs").
const administratorsSID = "S-1-5-32-544"

// firstRID is the first relative identifier of a group that people make.
const firstRID = 1000

const machineName = `HKLM\SYSTEM\CurrentControlSet\Control\ComputerName\ActiveComputerName`

// collectWindows reads the local groups. A domain controller has those of its domain in their
// place, which are not the machine's.
func collectWindows(h *host.Host) ([]proto.Message, error) {
	if domain, err := h.Domain(); err == nil && domain.Controller() {
		return nil, fmt.Errorf("%w: a domain controller has no local groups", host.ErrUnsupported)
	}
	groups, err := h.LocalGroups()
	machine := ""
	if key, err := h.RegistryKey(machineName); err == nil {
		machine = key.Text("ComputerName")
	}
	var items []proto.Message
	for _, g := range groups {
		if len(g.Members) > 0 || madeByPeople(g.SID) {
			items = append(items, ofWindows(g, machine))
		}
	}
	return items, err
}

func madeByPeople(sid string) bool {
	rid, err := strconv.ParseUint(sid[strings.LastIndexByte(sid, '-')+1:], 10, 32)
	return err == nil && rid >= firstRID && strings.HasPrefix(sid, "S-1-5-21-")
}

func ofWindows(g host.LocalGroup, machine string) *inventoryv1.Group {
	item := &inventoryv1.Group{Name: g.Name, Domain: machine, Id: g.SID}
	if g.SID != "" {
		item.IsAdmin = proto.Bool(g.SID == administratorsSID)
	}
	for _, m := range g.Members {
		item.Members = append(item.Members, login(m, machine))
	}
	slices.Sort(item.Members)
	item.Members = slices.Compact(item.Members)
	return item
}

// login returns the name of a local account, `DOMAIN\name` for another, and the SID of an account
// that no longer exists.
func login(m host.GroupMember, machine string) string {
	if m.Account == "" {
		return m.SID
	}
	domain, name, found := strings.Cut(m.Account, `\`)
	if found && machine != "" && strings.EqualFold(domain, machine) {
		return name
	}
	return m.Account
}
