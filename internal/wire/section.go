// Package wire holds what agent and collector must agree on: which messages are sections, which of
// their fields are keys and readings, how an item is encoded, hashed and shown, and how the root of
// a set of items is computed. It knows no section by name and does no I/O. Start at Section and
// Encoded.
package wire

import (
	"crypto/sha256"
	"fmt"
	"slices"
	"sync"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"

	inventoryv1 "github.com/musterhq/muster/proto/muster/inventory/v1"
)

// Section is one kind of finding, as its message in the .proto describes it.
type Section struct {
	Name     string
	Number   int // its index in Sections
	desc     protoreflect.MessageDescriptor
	new      protoreflect.MessageType
	keys     []protoreflect.FieldDescriptor
	facts    []protoreflect.FieldDescriptor // keys included, by field number
	readings []protoreflect.FieldDescriptor
}

// sections lists every section of the .proto, in its order. It is computed once and never changes.
var sections = describe(inventoryv1.File_muster_inventory_v1_sections_proto)

func describe(file protoreflect.FileDescriptor) []*Section {
	var list []*Section
	for i := range file.Messages().Len() {
		desc := file.Messages().Get(i)
		name, _ := proto.GetExtension(desc.Options(), inventoryv1.E_Section).(string)
		if name == "" {
			continue
		}
		s := newSection(name, desc)
		s.Number = len(list)
		list = append(list, s)
	}
	return list
}

func newSection(name string, desc protoreflect.MessageDescriptor) *Section {
	message, err := protoregistry.GlobalTypes.FindMessageByName(desc.FullName())
	if err != nil {
		panic(err) // the generated code registers all its messages
	}
	s := &Section{Name: name, desc: desc, new: message}
	for i := range desc.Fields().Len() {
		field := desc.Fields().Get(i)
		switch {
		case isSet(field, inventoryv1.E_Reading):
			s.readings = append(s.readings, field)
		case isSet(field, inventoryv1.E_Key):
			s.keys = append(s.keys, field)
			s.facts = append(s.facts, field)
		default:
			s.facts = append(s.facts, field)
		}
	}
	slices.SortFunc(s.facts, func(a, b protoreflect.FieldDescriptor) int { return int(a.Number() - b.Number()) })
	return s
}

func isSet(field protoreflect.FieldDescriptor, option protoreflect.ExtensionType) bool {
	set, _ := proto.GetExtension(field.Options(), option).(bool)
	return set
}

// Sections lists every section that this program knows, in the order of the .proto.
func Sections() []*Section { return sections }

// Lookup finds a section by its name.
func Lookup(name string) (*Section, bool) {
	for _, s := range sections {
		if s.Name == name {
			return s, true
		}
	}
	return nil, false
}

// New returns an empty item of the section.
func (s *Section) New() protoreflect.Message { return s.new.New() }

// Field finds a field of the section by its number; nil if there is none.
func (s *Section) Field(number protoreflect.FieldNumber) protoreflect.FieldDescriptor {
	return s.desc.Fields().ByNumber(number)
}

// Fields lists the names of the section's fields, readings included, in the order of the .proto:
// the columns of its table.
func (s *Section) Fields() []string {
	names := make([]string, s.desc.Fields().Len())
	for i := range names {
		names[i] = string(s.desc.Fields().Get(i).Name())
	}
	return names
}

// Keys lists the names of the section's key fields. A section without key fields has a single item.
func (s *Section) Keys() []string {
	names := make([]string, len(s.keys))
	for i := range names {
		names[i] = string(s.keys[i].Name())
	}
	return names
}

// HasReadings reports whether items of the section can carry readings.
func (s *Section) HasReadings() bool { return len(s.readings) > 0 }

// Of finds the section that a message is an item of.
func Of(m proto.Message) (*Section, error) {
	desc := m.ProtoReflect().Descriptor()
	for _, s := range sections {
		if s.desc.FullName() == desc.FullName() {
			return s, nil
		}
	}
	return nil, fmt.Errorf("message %s is not a section", desc.FullName())
}

// Fingerprint identifies the sections and fields of this program.
var Fingerprint = sync.OnceValue(func() [32]byte {
	h := sha256.New()
	for _, s := range sections {
		for _, field := range s.Fields() {
			_, _ = fmt.Fprintf(h, "%s.%s\n", s.Name, field)
		}
	}
	return [32]byte(h.Sum(nil))
})
