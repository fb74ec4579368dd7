package state

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/musterhq/muster/internal/inventory"
	"github.com/musterhq/muster/internal/wire"
)

// The records of acknowledged.bin; a section's set stands under setRecord and its name.
const (
	tokenRecord    = "token"
	rootRecord     = "inventory_root"
	readingsRecord = "readings_accepted"
	setRecord      = "set/"
)

// meta is what of the acknowledged inventory is always at hand.
type meta struct {
	token    []byte
	root     inventory.Root
	known    bool // whether root is
	readings time.Time
}

// Acknowledged is an inventory that the collector said it committed.
type Acknowledged struct {
	Root     inventory.Root      // of the whole inventory
	Sets     map[string]wire.Set // by section; a section that is not among them keeps what it has
	Token    []byte              // to present next time; empty: the one before
	Readings time.Time           // when the readings were accepted; zero: they were not
}

// Token gives the ratchet token to present; nil on the first check-in.
func (s *State) Token() []byte { return s.meta.token }

// InventoryRoot gives the root of the last acknowledged inventory.
func (s *State) InventoryRoot() (root inventory.Root, ok bool) { return s.meta.root, s.meta.known }

// ReadingsAccepted gives when the collector last took the daily readings; zero: never.
func (s *State) ReadingsAccepted() time.Time { return s.meta.readings }

// Facts gives the facts of the section's items that the collector acknowledged, as they traveled, if the
// root of their set is the given one. Otherwise the agent does not know the set.
func (s *State) Facts(section string, root inventory.Root) (facts [][]byte, ok bool) {
	records, err := s.read()
	if err != nil {
		return nil, false // as good as none: the whole section goes instead
	}
	set, ok := records[setRecord+section]
	if !ok || !bytes.HasPrefix(set, root[:]) {
		return nil, false
	}
	return decodeFacts(set[len(root):])
}

// Acknowledge remembers an acknowledged inventory. Where that fails, what was acknowledged before stays in the file; the
// token is remembered all the same as long as the state is open, because the one before is used up.
func (s *State) Acknowledge(a Acknowledged) error {
	if len(a.Token) > 0 {
		s.meta.token = bytes.Clone(a.Token)
	}
	if s.meta.known && s.meta.root == a.Root && len(a.Token) == 0 && a.Readings.IsZero() {
		return nil
	}
	records, err := s.read()
	if err != nil {
		return fmt.Errorf("read state: %w", err)
	}
	next := meta{token: s.meta.token, root: a.Root, known: true, readings: s.meta.readings}
	if !a.Readings.IsZero() {
		next.readings = a.Readings
	}
	next.writeTo(records)
	for section, set := range a.Sets {
		records[setRecord+section] = encodeSet(set)
	}
	if err := s.write(records); err != nil {
		return err
	}
	s.meta = next
	return nil
}

// Forget drops all that was acknowledged, for an agent that becomes another one.
func (s *State) Forget() error {
	if err := s.write(nil); err != nil {
		return err
	}
	s.meta = meta{}
	return nil
}

// load reads what is always at hand.
func (s *State) load() error {
	records, err := s.read()
	if err != nil {
		return err
	}
	s.meta = metaOf(records)
	return nil
}

// read reads the file's records: none where there is no file, or a damaged one, which it moves aside.
func (s *State) read() (map[string][]byte, error) {
	data, err := os.ReadFile(s.acknowledgedPath())
	if errors.Is(err, fs.ErrNotExist) {
		return map[string][]byte{}, nil
	}
	if err != nil {
		return nil, err
	}
	records, err := decodeRecords(data)
	if errors.Is(err, errDamaged) {
		return map[string][]byte{}, moveAside(s.acknowledgedPath())
	}
	return records, err
}

// write replaces the file. What was moved aside gives way where there is no room.
func (s *State) write(records map[string][]byte) error {
	data := encodeRecords(records)
	err := replaceFile(s.acknowledgedPath(), data)
	if err != nil && dropAside(s.acknowledgedPath()) {
		err = replaceFile(s.acknowledgedPath(), data)
	}
	if err != nil {
		return fmt.Errorf("write state: %w", err)
	}
	return nil
}

func (s *State) acknowledgedPath() string { return filepath.Join(s.dir, acknowledgedFile) }

func (m meta) writeTo(records map[string][]byte) {
	records[rootRecord] = m.root[:]
	if len(m.token) > 0 {
		records[tokenRecord] = m.token
	}
	if !m.readings.IsZero() {
		records[readingsRecord] = m.readings.UTC().AppendFormat(nil, time.RFC3339)
	}
}

func metaOf(records map[string][]byte) meta {
	m := meta{token: bytes.Clone(records[tokenRecord])}
	if root, ok := records[rootRecord]; ok {
		m.known = copy(m.root[:], root) == len(m.root)
	}
	if at, err := time.Parse(time.RFC3339, string(records[readingsRecord])); err == nil {
		m.readings = at
	}
	return m
}

// encodeSet writes the set's root and then the facts of its items, each behind its length.
func encodeSet(set wire.Set) []byte {
	root := set.Root()
	size := len(root)
	for _, item := range set.Items() {
		size += binary.MaxVarintLen32 + len(item.Facts)
	}
	b := append(make([]byte, 0, size), root[:]...)
	for _, item := range set.Items() {
		b = appendField(b, item.Facts)
	}
	return b
}

func decodeFacts(b []byte) (facts [][]byte, ok bool) {
	for len(b) > 0 {
		var field []byte
		if field, b, ok = cutField(b); !ok {
			return nil, false
		}
		facts = append(facts, field)
	}
	return facts, true
}
