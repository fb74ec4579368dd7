package importer

import (
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/musterhq/muster/internal/inventory"
	"github.com/musterhq/muster/internal/wire"
	inventoryv1 "github.com/musterhq/muster/proto/muster/inventory/v1"
)

// section says how one of our sections comes out of the file.
type section struct {
	name string
	from []string // the sections of the file; without any of them ours is not spoken of
	read func(m *machine) []entry
	// whole: the file has an object for it, not a list; one that says nothing of it is not an empty list.
	whole bool
	// sparse: a machine commonly has none, and agents leave out what is empty. That a whole inventory does not speak of
	// it means that there is none.
	sparse bool
}

// sections lists those that the formats know anything of, in the order of the .proto.
var sections = []section{
	{name: "system", from: []string{"bios", "hardware"}, read: (*machine).system, whole: true},
	{name: "firmware", from: []string{"bios"}, read: (*machine).firmware, whole: true},
	{name: "cpu", from: []string{"cpus"}, read: (*machine).cpus},
	{name: "memory", from: []string{"memories"}, read: (*machine).memories},
	{name: "storage", from: []string{"storages"}, read: (*machine).storages},
	{name: "volume", from: []string{"drives"}, read: (*machine).volumes},
	{name: "network_interface", from: []string{"networks"}, read: (*machine).interfaces},
	{name: "display", from: []string{"monitors"}, read: (*machine).displays, sparse: true},
	{name: "os", from: []string{"operatingsystem", "hardware"}, read: (*machine).operatingSystem, whole: true},
	{name: "software", from: []string{"softwares"}, read: (*machine).software},
}

// entry is an item and where in the file it comes from. Its item is nil where the entry could not be taken.
type entry struct {
	item proto.Message
	node *node
}

// collect adds a section to the document. One item that could not be taken makes it partial: what is not in it may
// still be there.
func (m *machine) collect(s section) {
	described, _ := wire.Lookup(s.name)
	status := inventory.StatusOK
	u := union{machine: m, section: described, byKey: map[int64][]entry{}}
	for _, e := range s.read(m) {
		switch {
		case e.item == nil:
			status = inventory.StatusPartial
		case !described.HasKey(e.item.ProtoReflect()):
			m.warnf(e.node, "an entry of %s is left out: nothing in it says which one it is", s.name)
			status = inventory.StatusPartial
		case proto.Size(e.item) > 0:
			u.add(e)
		}
	}
	if len(u.items) == 0 && s.whole {
		return
	}
	m.doc.Sections = append(m.doc.Sections, Section{Name: s.name, Status: status, Items: u.items})
}

// union collects items of which no two say the same.
type union struct {
	machine *machine
	section *wire.Section
	items   []proto.Message
	byKey   map[int64][]entry
}

// add takes an item. One with the key of another completes that one and is said to be there twice; two versions of one
// program are two items.
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
		u.machine.warnf(e.node, "%s %q was there before, at line %d: only what that does not say is taken",
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

// complete fills in the fields that the first item does not have.
func complete(item, more protoreflect.Message) {
	more.Range(func(field protoreflect.FieldDescriptor, value protoreflect.Value) bool {
		if !item.Has(field) {
			item.Set(field, value)
		}
		return true
	})
}
