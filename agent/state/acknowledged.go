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

// The records of acknowledged.bin. The name of a section's record is setRecord and the section's
// name.
const (
	tokenRecord    = "token"
	rootRecord     = "inventory_root"
	readingsRecord = "readings_accepted"
	setRecord      = "set/"
)

// meta is the part of the acknowledged inventory that stays in memory.
type meta struct {
	token    []byte
	root     inventory.Root
	known    bool // whether root is valid
	readings time.Time
}

// Acknowledged is an inventory that the collector has committed.
type Acknowledged struct {
	Root     inventory.Root      // of the whole inventory
	Sets     map[string]wire.Set // by section; other sections keep their sets
	Token    []byte              // to present next time; empty: keep the previous one
	Readings time.Time           // when the readings were accepted; zero if they were not
}

// Token returns the ratchet token to present, or nil before the first Ack.
func (s *State) Token() []byte { return s.meta.token }

// InventoryRoot returns the root of the last acknowledged inventory.
func (s *State) InventoryRoot() (root inventory.Root, ok bool) { return s.meta.root, s.meta.known }

// ReadingsAccepted returns when the collector last accepted readings; zero means never.
func (s *State) ReadingsAccepted() time.Time { return s.meta.readings }

// Facts returns the encoded facts of the section's acknowledged items if the root of their set is
// the given one. Otherwise ok is false.
func (s *State) Facts(section string, root inventory.Root) (facts [][]byte, ok bool) {
	records, err := s.read()
	if err != nil {
		return nil, false // the agent then sends the whole section
	}
	set, ok := records[setRecord+section]
	if !ok || !bytes.HasPrefix(set, root[:]) {
		return nil, false
	}
	return decodeFacts(set[len(root):])
}

// Acknowledge stores an acknowledged inventory. If that fails, the file keeps the previous one. The
// new token stays in memory even then, because the collector no longer accepts the previous one.
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

// Forget deletes everything that was acknowledged, for an agent that gets a new identity.
func (s *State) Forget() error {
	if err := s.write(nil); err != nil {
		return err
	}
	s.meta = meta{}
	return nil
}

// load reads the part that stays in memory.
func (s *State) load() error {
	records, err := s.read()
	if err != nil {
		return err
	}
	s.meta = metaOf(records)
	return nil
}

// read returns the file's records. It returns none if the file does not exist, or if it is damaged;
// then read moves it aside.
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

// write replaces the file. On a full disk it deletes the files that were moved aside and tries
// again.
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

// encodeSet returns the set's root, then each item's length and facts.
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
