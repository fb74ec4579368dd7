package main

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"path"
)

// A Bom ("bill of materials") is a store of numbered blocks, some of which have names. Its numbers
// are big-endian. Block 0 is empty and stands for "none".

// bomHeader is at the start of the file and followed by zeros up to bomStart.
type bomHeader struct {
	Magic       [8]byte
	Version     uint32
	Blocks      uint32 // that are not empty
	Index, Vars bomRange
}

type bomRange struct{ Offset, Length uint32 }

const bomStart = 512

// bomTree is a table of keys and values, which are numbers of blocks.
type bomTree struct {
	Magic     [4]byte
	Version   uint32
	Node      uint32 // the block of the first bomNode
	BlockSize uint32
	Count     uint32
	_         uint8
}

// bomNode is a page of a tree, followed by Count pairs and zeros up to the tree's block size.
type bomNode struct {
	IsLeaf, Count uint16
	Next, Prev    uint32
}

type bomPair struct{ Key, Value uint32 }

// bomPath is the key of a file in the tree "Paths". Its value is the number of the folder and the
// name.
type bomPath struct{ ID, Metadata uint32 }

// bomMetadata describes a file.
type bomMetadata struct {
	Type     uint8 // bomFile, bomFolder
	One      uint8 // always 1, of unknown meaning
	Flags    uint16
	Mode     uint16
	UID, GID uint32
	Time     uint32
	Size     uint32
	OneMore  uint8
	Checksum uint32
	_        uint64
}

const (
	bomFile   = 1
	bomFolder = 2
	// bomComplete marks metadata with all fields, as against a path alone.
	bomComplete = 0xf
)

// bomInfo counts the paths and the bytes of the files.
type bomInfo struct {
	Version, Paths, Entries uint32
	CPU, _, Size, _         uint32 // one entry, for files of every processor
}

// bomVirtual names an empty tree.
type bomVirtual struct {
	Version, Tree, _ uint32
	Empty            uint8 // 1
}

// bomStore collects the blocks of a file.
type bomStore struct {
	data   bytes.Buffer
	blocks []bomRange // from block 1
	names  bytes.Buffer
	named  uint32
}

// add appends a block of values and returns its number.
func (s *bomStore) add(values ...any) (uint32, error) {
	start := s.data.Len()
	for _, value := range values {
		if err := binary.Write(&s.data, binary.BigEndian, value); err != nil {
			return 0, err
		}
	}
	s.blocks = append(s.blocks, bomRange{bomStart + number(start), number(s.data.Len() - start)})
	return number(len(s.blocks)), nil
}

// name gives a block a name.
func (s *bomStore) name(name string, block uint32) {
	s.named++
	_ = binary.Write(&s.names, binary.BigEndian, block)
	s.names.WriteByte(byte(len(name))) //nolint:gosec // the names of bom
	s.names.WriteString(name)
}

// tree adds a tree of one page.
func (s *bomStore) tree(blockSize int, pairs []bomPair) (uint32, error) {
	header := bomNode{IsLeaf: 1, Count: uint16(len(pairs))} //nolint:gosec // the page is too small for more
	rest := blockSize - binary.Size(header) - binary.Size(pairs)
	if rest < 0 {
		return 0, fmt.Errorf("%d files are too many for a page of %d bytes", len(pairs), blockSize)
	}
	page, err := s.add(header, pairs, make([]byte, rest))
	if err != nil {
		return 0, err
	}
	return s.add(bomTree{
		Magic: [4]byte{'t', 'r', 'e', 'e'}, Version: 1, Node: page,
		BlockSize: number(blockSize), Count: number(len(pairs)),
	})
}

// number returns a number of the format. The content of a package is below 4 GiB.
func number(n int) uint32 { return uint32(n) } //nolint:gosec // see above

// bom returns the Bom of the files, which are in the order of readTree.
func bom(nodes []node, seconds uint32) ([]byte, error) {
	const page, smallPage = 4096, 128
	var store bomStore
	info := bomInfo{Version: 1, Paths: number(len(nodes)), Entries: 1}
	ids := map[string]uint32{}
	var pairs []bomPair
	for i, n := range nodes {
		id := number(i + 1)
		ids[n.path] = id
		info.Size += number(len(n.content))
		pair, err := store.addFile(n, id, ids[path.Dir(n.path)], seconds)
		if err != nil {
			return nil, err
		}
		pairs = append(pairs, pair)
	}
	paths, err := store.tree(page, pairs)
	if err != nil {
		return nil, err
	}
	block, err := store.add(info)
	if err != nil {
		return nil, err
	}
	store.name("BomInfo", block)
	store.name("Paths", paths)
	if err := store.addEmpty("HLIndex", page); err != nil {
		return nil, err
	}
	if err := store.addEmpty("Size64", smallPage); err != nil {
		return nil, err
	}
	virtual, err := store.tree(smallPage, nil)
	if err != nil {
		return nil, err
	}
	if block, err = store.add(bomVirtual{Version: 1, Tree: virtual, Empty: 1}); err != nil {
		return nil, err
	}
	store.name("VIndex", block)
	return store.bytes()
}

func (s *bomStore) addEmpty(name string, blockSize int) error {
	block, err := s.tree(blockSize, nil)
	s.name(name, block)
	return err
}

// addFile adds a file, whose folder has the number parent.
func (s *bomStore) addFile(n node, id, parent, seconds uint32) (pair bomPair, err error) {
	metadata := bomMetadata{
		Type: bomFile, One: 1, Flags: bomComplete, Mode: n.mode, Time: seconds, OneMore: 1,
		Size: number(len(n.content)),
	}
	if n.isFolder() {
		metadata.Type = bomFolder
	} else {
		metadata.Checksum = cksum(n.content)
	}
	if n.path == "." {
		parent = 0
	}
	block, err := s.add(metadata)
	if err != nil {
		return pair, err
	}
	if pair.Key, err = s.add(bomPath{id, block}); err != nil {
		return pair, err
	}
	pair.Value, err = s.add(parent, []byte(path.Base(n.path)+"\x00"))
	return pair, err
}

// bytes returns the file: header, blocks, their index and the names.
func (s *bomStore) bytes() ([]byte, error) {
	const free = 2 // empty entries of the list of free blocks
	var index bytes.Buffer
	for _, part := range []any{
		number(len(s.blocks) + 1), bomRange{}, s.blocks, uint32(free), [free]bomRange{},
	} {
		if err := binary.Write(&index, binary.BigEndian, part); err != nil {
			return nil, err
		}
	}
	header := bomHeader{
		Magic: [8]byte{'B', 'O', 'M', 'S', 't', 'o', 'r', 'e'}, Version: 1,
		Blocks: number(len(s.blocks)),
		Index:  bomRange{bomStart + number(s.data.Len()), number(index.Len())},
	}
	header.Vars = bomRange{header.Index.Offset + header.Index.Length, number(4 + s.names.Len())}
	var out bytes.Buffer
	if err := binary.Write(&out, binary.BigEndian, header); err != nil {
		return nil, err
	}
	out.Write(make([]byte, bomStart-out.Len()))
	out.Write(s.data.Bytes())
	out.Write(index.Bytes())
	err := binary.Write(&out, binary.BigEndian, s.named)
	out.Write(s.names.Bytes())
	return out.Bytes(), err
}

// cksum returns the checksum of the POSIX utility cksum: a CRC-32 of the content and its length.
func cksum(content []byte) uint32 {
	const polynomial, top = 0x04c11db7, 1 << 31
	var crc uint32
	add := func(b byte) {
		crc ^= uint32(b) << 24
		for range 8 {
			if crc&top != 0 {
				crc = crc<<1 ^ polynomial
			} else {
				crc <<= 1
			}
		}
	}
	for _, b := range content {
		add(b)
	}
	for length := len(content); length > 0; length >>= 8 {
		add(byte(length))
	}
	return ^crc
}
