package wire

import (
	"fmt"
	"slices"
	"strings"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/musterhq/muster/internal/inventory"
)

// Set is the items of a section, encoded: each once, every string valid UTF-8. The zero Set is
// empty.
type Set struct {
	items []Encoded
	root  inventory.Root
}

// Items lists the set's items in the order in which they were collected. The caller must not change
// the list.
func (s Set) Items() []Encoded { return s.items }

// Root identifies the set. It does not depend on the order of the items.
func (s Set) Root() inventory.Root { return s.root }

// NewSet encodes items of the section and does not change them. Items with equal facts are one
// item. Readings of items with the same key are dropped, because the key's hash addresses readings.
// The verdicts name the items that were cleaned or rejected.
func (s *Section) NewSet(items []proto.Message) (Set, []inventory.Verdict) {
	var verdicts []inventory.Verdict
	set := Set{items: make([]Encoded, 0, len(items))}
	seen := make(map[Hash]bool, len(items))
	for _, item := range items {
		encoded, verdict := s.encodeClean(item)
		if verdict.Outcome != "" {
			verdicts = append(verdicts, verdict)
		}
		if verdict.Outcome == inventory.OutcomeRejected || seen[encoded.Hash] {
			continue
		}
		seen[encoded.Hash] = true
		set.items = append(set.items, encoded)
		set.root = encoded.Hash.AddTo(set.root)
	}
	dropAmbiguous(set.items)
	return set, verdicts
}

// encodeClean encodes an item. It searches for strings that are not UTF-8 only after the encoder
// returned an error.
func (s *Section) encodeClean(item proto.Message) (Encoded, inventory.Verdict) {
	if item == nil || item.ProtoReflect().Descriptor().FullName() != s.desc.FullName() {
		reason := fmt.Sprintf("%T is not an item of %s", item, s.Name)
		return Encoded{}, inventory.Verdict{Section: s.Name, Outcome: inventory.OutcomeRejected, Reason: reason}
	}
	encoded, err := s.Encode(item)
	if err == nil {
		return encoded, inventory.Verdict{}
	}
	cleaned := proto.Clone(item)
	names := cleanText(cleaned.ProtoReflect())
	verdict := inventory.Verdict{Section: s.Name, Item: s.Key(cleaned.ProtoReflect())}
	if encoded, err = s.Encode(cleaned); err != nil {
		verdict.Outcome, verdict.Reason = inventory.OutcomeRejected, err.Error()
		return Encoded{}, verdict
	}
	verdict.Outcome = inventory.OutcomeCleaned
	verdict.Reason = "not valid UTF-8: " + strings.Join(names, ", ")
	return encoded, verdict
}

// cleanText replaces bytes that are not UTF-8 by U+FFFD and returns the names of the changed
// fields.
func cleanText(m protoreflect.Message) []string {
	var names []string
	m.Range(func(f protoreflect.FieldDescriptor, v protoreflect.Value) bool {
		if f.Kind() == protoreflect.StringKind && cleanField(m, f, v) {
			names = append(names, string(f.Name()))
		}
		return true
	})
	slices.Sort(names)
	return names
}

func cleanField(m protoreflect.Message, f protoreflect.FieldDescriptor, v protoreflect.Value) (changed bool) {
	if !f.IsList() {
		text := strings.ToValidUTF8(v.String(), "\uFFFD")
		m.Set(f, protoreflect.ValueOfString(text))
		return text != v.String()
	}
	for i := range v.List().Len() {
		was := v.List().Get(i).String()
		text := strings.ToValidUTF8(was, "\uFFFD")
		v.List().Set(i, protoreflect.ValueOfString(text))
		changed = changed || text != was
	}
	return changed
}

// dropAmbiguous drops the readings of items with the same key.
func dropAmbiguous(items []Encoded) {
	holders := make(map[int64]int, len(items))
	for _, item := range items {
		holders[item.KeyHash]++
	}
	for i := range items {
		if holders[items[i].KeyHash] > 1 {
			items[i].Readings = nil
		}
	}
}
