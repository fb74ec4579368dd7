package group

import (
	"context"
	"errors"
	"io/fs"
	"slices"

	"google.golang.org/protobuf/proto"

	"github.com/musterhq/muster/agent/host"
	"github.com/musterhq/muster/agent/section/dscl"
	inventoryv1 "github.com/musterhq/muster/proto/muster/inventory/v1"
)

// The groups whose members are administrators whatever sudoers(5) says: wheel and admin.
var macAdministrators = []string{"0", "80"}

// collectMac lists the groups that have people as members or that people made. It does not resolve
// groups in groups.
func collectMac(ctx context.Context, h *host.Host) ([]proto.Message, error) {
	records, err := dscl.Read(ctx, h, host.DirectoryGroups)
	if err != nil {
		return nil, err
	}
	admins, err := administrators(h)
	known := err == nil
	if errors.Is(err, fs.ErrPermission) {
		err = nil // is_admin stays unset, which says that it is unknown
	}
	var items []proto.Message
	for _, r := range records {
		id, members := r.First(dscl.GroupID), slices.Clone(r[dscl.Members])
		if !slices.ContainsFunc(members, isPerson) && (!dscl.IsMadeByPeople(id) || dscl.IsService(r.First(dscl.Name))) {
			continue
		}
		slices.Sort(members)
		g := &inventoryv1.Group{Name: r.First(dscl.Name), Id: id, Members: slices.Compact(members)}
		switch {
		case slices.Contains(macAdministrators, id) || admins["%"+g.Name] || admins["%#"+id]:
			g.IsAdmin = proto.Bool(true)
		case known:
			g.IsAdmin = proto.Bool(false)
		}
		items = append(items, g)
	}
	return items, err
}

func isPerson(login string) bool {
	return login != "root" && login != "nobody" && !dscl.IsService(login)
}
