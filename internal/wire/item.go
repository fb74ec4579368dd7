package wire

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"slices"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/musterhq/muster/internal/inventory"
)

// Hash identifies the encoding of an item's facts on the wire. Two programs may encode one item
// differently; inventory.Digest identifies the item.
type Hash [sha256.Size]byte

// HashOf returns the hash of an item's encoded facts.
func HashOf(facts []byte) Hash { return sha256.Sum256(facts) }

// Encoded is an item as it is sent. Only its sender knows the key hash of an item with facts.
type Encoded struct {
	Hash     Hash
	KeyHash  int64
	Facts    []byte
	Readings []byte // nil if there are none
}

// Encode encodes an item and splits it into facts and readings. It does not change the item.
func (s *Section) Encode(item proto.Message) (Encoded, error) {
	all, err := proto.MarshalOptions{Deterministic: true}.Marshal(item)
	if err != nil {
		return Encoded{}, fmt.Errorf("encode %s: %w", s.Name, err)
	}
	encoded := Encoded{KeyHash: s.KeyHash(item.ProtoReflect())}
	encoded.Facts, encoded.Readings = s.split(all)
	encoded.Hash = HashOf(encoded.Facts)
	return encoded, nil
}

// split separates the readings of an encoded item from its facts and keeps the order of the fields.
func (s *Section) split(all []byte) (facts, readings []byte) {
	if len(s.readings) == 0 {
		return all, nil
	}
	facts = make([]byte, 0, len(all))
	for len(all) > 0 {
		number, _, length := protowire.ConsumeField(all)
		if s.isReading(number) {
			readings = append(readings, all[:length]...)
		} else {
			facts = append(facts, all[:length]...)
		}
		all = all[length:]
	}
	return facts, readings
}

func (s *Section) isReading(number protowire.Number) bool {
	for _, r := range s.readings {
		if r.Number() == number {
			return true
		}
	}
	return false
}

// Decode decodes an item's facts or readings. Fields that this program does not know are kept as
// unknown fields.
func (s *Section) Decode(encoded []byte) (protoreflect.Message, error) {
	m := s.new.New()
	if err := proto.Unmarshal(encoded, m.Interface()); err != nil {
		return nil, fmt.Errorf("decode %s: %w", s.Name, err)
	}
	return m, nil
}

// KeyHash hashes the key fields of an item. It does not depend on how the item was encoded.
func (s *Section) KeyHash(m protoreflect.Message) int64 {
	if len(s.keys) == 0 {
		return 0
	}
	text := make([]byte, 0, 128) // more than most keys need
	text = appendFields(text, m, len(s.keys), func(i int) protoreflect.FieldDescriptor { return s.keys[i] })
	sum := sha256.Sum256(text)
	return int64(binary.BigEndian.Uint64(sum[:8])) //nolint:gosec // a hash has no sign
}

// Key returns the values of the key fields of an item as text for people: `dpkg bash amd64`.
func (s *Section) Key(m protoreflect.Message) string {
	var b []byte
	for _, f := range s.keys {
		if !m.Has(f) {
			continue
		}
		if len(b) > 0 {
			b = append(b, ' ')
		}
		b = append(b, m.Get(f).String()...)
	}
	return string(b)
}

// HasKey reports whether an item has a value in one of its key fields, or its section has no key
// fields.
func (s *Section) HasKey(m protoreflect.Message) bool {
	return len(s.keys) == 0 || slices.ContainsFunc(s.keys, m.Has)
}

// Digest identifies an item by its content: the canonical JSON of its facts, within its section.
func (s *Section) Digest(facts []byte) inventory.Digest {
	text := make([]byte, 0, len(s.Name)+1+len(facts))
	text = append(append(append(text, s.Name...), 0), facts...)
	sum := sha256.Sum256(text)
	return inventory.Digest(sum[:16])
}
