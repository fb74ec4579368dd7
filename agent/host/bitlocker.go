package host

import (
	"bytes"
	"encoding/binary"
	"slices"
)

// BitLocker is what a volume encrypted by BitLocker says of its encryption. Its metadata also
// contain keys, so only these numbers leave this package.
type BitLocker struct {
	State      uint16   // 1: decrypted; 2: being converted; 4: encrypted; 5: conversion paused
	Next       uint16   // the state at the end of the conversion
	Algorithm  uint16   // e.g. 0x8004: AES-XTS with 128 bits
	Protectors []uint16 // how the volume's master key is protected, once per copy; 0: by nothing
}

// bitLockerMagic is in the first sector, in place of the name of the file system, and at the
// beginning of the metadata.
const bitLockerMagic = "-FVE-FS-"

// The layout of BitLocker's volumes since Windows 7, in bytes (libyal, "BitLocker Drive Encryption
// (BDE) format").
const (
	bitLockerOffsets = 176 // in the first sector: where the three copies of the metadata are
	bitLockerSize    = 64 << 10
	bitLockerBlock   = 64 // of the header of the block, before that of the metadata
	bitLockerHeader  = 48
	bitLockerEntry   = 8  // of the header of an entry
	bitLockerKey     = 28 // of a master key, before its own entries
)

// Types of entries and of their values.
const (
	bitLockerMasterKey   = 2
	bitLockerMasterValue = 8
)

// bitLockerMetadata returns where the copies of the metadata are on the volume, or nil if the first
// sector is not that of an encrypted volume of this layout.
func bitLockerMetadata(sector []byte) []uint64 {
	if len(sector) < bitLockerOffsets+24 || string(sector[3:11]) != bitLockerMagic {
		return nil
	}
	var offsets []uint64
	for at := bitLockerOffsets; at < bitLockerOffsets+24; at += 8 {
		if offset := binary.LittleEndian.Uint64(sector[at:]); offset > 0 && offset < 1<<62 && offset%512 == 0 {
			offsets = append(offsets, offset)
		}
	}
	return offsets
}

// parseBitLocker reads a copy of the metadata. It returns nil for anything else.
func parseBitLocker(block []byte) *BitLocker {
	if len(block) < bitLockerBlock+bitLockerHeader || !bytes.HasPrefix(block, []byte(bitLockerMagic)) ||
		binary.LittleEndian.Uint16(block[10:]) != 2 { // version
		return nil
	}
	header := block[bitLockerBlock:]
	size := int64(binary.LittleEndian.Uint32(header))
	start := int64(binary.LittleEndian.Uint32(header[8:]))
	if start < bitLockerHeader || size < start || size > int64(len(header)) {
		return nil
	}
	b := &BitLocker{
		State: binary.LittleEndian.Uint16(block[12:]), Next: binary.LittleEndian.Uint16(block[14:]),
		Algorithm: binary.LittleEndian.Uint16(header[36:]),
	}
	for entries := header[start:size]; len(entries) >= bitLockerEntry; {
		length := int(binary.LittleEndian.Uint16(entries))
		if length < bitLockerEntry || length > len(entries) {
			break // the end of the list, or damage
		}
		kind, value := binary.LittleEndian.Uint16(entries[2:]), binary.LittleEndian.Uint16(entries[4:])
		if kind == bitLockerMasterKey && value == bitLockerMasterValue && length >= bitLockerEntry+bitLockerKey {
			b.Protectors = append(b.Protectors, binary.LittleEndian.Uint16(entries[bitLockerEntry+bitLockerKey-2:]))
		}
		entries = entries[length:]
	}
	slices.Sort(b.Protectors)
	b.Protectors = slices.Compact(b.Protectors)
	return b
}
