package importer

import (
	"strings"

	"google.golang.org/protobuf/types/known/timestamppb"

	inventoryv1 "github.com/musterhq/muster/proto/muster/inventory/v1"
)

// sources maps the names of package managers that differ from ours.
var sources = map[string]string{"deb": "dpkg"}

func (m *machine) software() []entry {
	entries := m.entries("softwares")
	order := dateOrder{}
	for _, n := range entries {
		order.observe(n.get("install_date"))
	}
	items := make([]entry, 0, len(entries))
	var unread []*node
	for _, n := range entries {
		if n.get("name") == "" {
			m.warnf(n, "a program without a name is ignored")
			items = append(items, entry{})
			continue
		}
		item := m.program(n)
		if date := n.get("install_date"); !unknown[strings.ToLower(date)] {
			if at, err := order.parse(date); err == nil {
				item.InstallDate = timestamppb.New(at)
			} else {
				unread = append(unread, n)
			}
		}
		items = append(items, entry{item, n})
	}
	if len(unread) > 0 {
		m.warnf(unread[0], "%d installation dates are ambiguous or not dates and are ignored, first %q",
			len(unread), unread[0].get("install_date"))
	}
	return items
}

func (m *machine) program(n *node) *inventoryv1.Software {
	item := &inventoryv1.Software{
		Source:          strings.ToLower(n.get("from")),
		Name:            n.get("name"),
		Arch:            n.get("arch"),
		Version:         n.get("version"),
		Publisher:       n.get("publisher"),
		InstallLocation: n.get("folder"),
		SizeBytes:       m.size(n, "filesize", 1),
	}
	if ours, differs := sources[item.Source]; differs {
		item.Source = ours
	}
	if n.get("username") != "" { // the owner of the profile with the program
		item.Scope = "user"
	}
	return item
}
