package importer

import (
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/musterhq/muster/internal/inventory"
	"github.com/musterhq/muster/internal/wire"
	inventoryv1 "github.com/musterhq/muster/proto/muster/inventory/v1"
)

// section defines how one of our sections is read from the file.
type section struct {
	name string
	from []string // the file's sections; without any of them ours is unknown
	read func(m *machine) []entry
	// object: the file has an object for it, not a list. An object without known fields is unknown,
	// not an empty list.
	object bool
	// optional: many machines have none, and agents omit empty sections. A full inventory without
	// the section means that there is none.
	optional bool
}

// sections lists the sections that these formats have, in the order of the .proto.
var sections = []section{
	{name: "system", from: []string{"bios", "hardware"}, read: (*machine).system, object: true},
	{name: "firmware", from: []string{"bios"}, read: (*machine).firmware, object: true},
	{name: "cpu", from: []string{"cpus"}, read: (*machine).cpus},
	{name: "memory", from: []string{"memories"}, read: (*machine).memories},
	{name: "storage", from: []string{"storages"}, read: (*machine).storages},
	{name: "volume", from: []string{"drives"}, read: (*machine).volumes},
	{name: "network_interface", from: []string{"networks"}, read: (*machine).interfaces},
	{name: "display", from: []string{"monitors"}, read: (*machine).displays, optional: true},
	{name: "os", from: []string{"operatingsystem", "hardware"}, read: (*machine).operatingSystem, object: true},
	{name: "software", from: []string{"softwares"}, read: (*machine).software},
}

// entry is an item and the node that it was read from. A nil item stands for an entry that was
// skipped.
type entry struct {
	item proto.Message
	node *node
}

// collect adds a section to the document. A skipped entry makes the section partial, so that
// nothing is removed because of it.
func (m *machine) collect(s section) {
	described, _ := wire.Lookup(s.name)
	status := inventory.StatusOK
	u := union{machine: m, section: described, byKey: map[int64][]entry{}}
	for _, e := range s.read(m) {
		switch {
		case e.item == nil:
			status = inventory.StatusPartial
		case !described.HasKey(e.item.ProtoReflect()):
			m.warnf(e.node, "an entry of %s is ignored: it has none of the fields that identify it", s.name)
			status = inventory.StatusPartial
		case proto.Size(e.item) > 0:
			u.add(e)
		}
	}
	if len(u.items) == 0 && s.object {
		return
	}
	m.doc.Sections = append(m.doc.Sections, Section{Name: s.name, Status: status, Items: u.items})
}

// union collects items without duplicates.
type union struct {
	machine *machine
	section *wire.Section
	items   []proto.Message
	byKey   map[int64][]entry
}

// add adds an item. If an item with the same key exists, its missing fields are filled in, with a
// warning; two versions of one program are two items.
func (u *union) add(e entry) {
	key := u.section.KeyHash(e.item.ProtoReflect())
	for _, before := range u.byKey[key] {
		if proto.Equal(before.item, e.item) {
			return
		}
		if otherVersion(before.item, e.item) {
			continue
		}
		complete(before.item.ProtoReflect(), e.item.ProtoReflect())
		u.machine.warnf(e.node, "%s %q is a duplicate of line %d; it only adds the fields that are missing there",
			u.section.Name, u.section.Key(e.item.ProtoReflect()), before.node.line)
		return
	}
	u.byKey[key] = append(u.byKey[key], e)
	u.items = append(u.items, e.item)
}

func otherVersion(a, b proto.Message) bool {
	first, isSoftware := a.(*inventoryv1.Software)
	second, too := b.(*inventoryv1.Software)
	return isSoftware && too && first.Version != second.Version
}

// complete copies the fields that item does not have from more.
func complete(item, more protoreflect.Message) {
	more.Range(func(field protoreflect.FieldDescriptor, value protoreflect.Value) bool {
		if !item.Has(field) {
			item.Set(field, value)
		}
		return true
	})
}
