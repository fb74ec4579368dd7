package rpmdb

import (
	"encoding/binary"
	"fmt"
	"hash/adler32"
	"io"
	"iter"
)

// The layout of rpm's own format "ndb" (rpm's lib/backend/ndb/rpmpkg.c), little-endian. The file
// starts with pages of slots; the first two slots are the file's header. Each slot in use refers to
// a blob: a head, the package header, zeros up to a multiple of 16 bytes, and a tail with the
// checksum of everything before it.
const (
	ndbMagic     = "RpmP"
	ndbSlotMagic = "Slot"
	ndbHeadMagic = "BlbS"
	ndbTailMagic = "BlbE"

	ndbPageSize   = 4096
	ndbSlotLength = 16
	ndbFileHeader = 32
	ndbHeadLength = 16
	ndbTailLength = 12
	ndbBlock      = 16 // unit of the slots' offsets and lengths, in bytes
)

// NDB iterates over the package headers of a "Packages.db" file of size bytes, in the same way as
// BerkeleyDB.
func NDB(file io.ReaderAt, size int64) iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		page := make([]byte, ndbPageSize)
		pages, err := ndbPages(file, size, page)
		if err != nil {
			yield(nil, err)
			return
		}
		var blob []byte
		left := size // bytes that the remaining blobs may have, because blobs do not overlap
		for slot, err := range ndbSlots(file, pages, page) {
			var header []byte
			if left -= slot.blocks * ndbBlock; left < 0 && err == nil {
				err = fmt.Errorf("%w: packages are longer than the file", ErrFormat)
			}
			if err == nil {
				header, blob, err = ndbBlob(file, size, slot, blob)
			}
			if !yield(header, err) {
				return
			}
		}
	}
}

// ndbPages returns the number of slot pages.
func ndbPages(file io.ReaderAt, size int64, page []byte) (int64, error) {
	head := page[:ndbFileHeader]
	if _, err := file.ReadAt(head, 0); err != nil {
		return 0, fmt.Errorf("read header: %w", unexpected(err))
	}
	version, pages := binary.LittleEndian.Uint32(head[4:]), int64(binary.LittleEndian.Uint32(head[12:]))
	if string(head[:4]) != ndbMagic || version != 0 {
		return 0, fmt.Errorf("%w: not an ndb file", ErrFormat)
	}
	if pages == 0 || pages*ndbPageSize > size {
		return 0, fmt.Errorf("%w: %d slot pages in %d bytes", ErrFormat, pages, size)
	}
	return pages, nil
}

// ndbSlot is the location of a package's blob.
type ndbSlot struct {
	pkg           uint32
	block, blocks int64
}

// ndbSlots iterates over the slots in use.
func ndbSlots(file io.ReaderAt, pages int64, page []byte) iter.Seq2[ndbSlot, error] {
	return func(yield func(ndbSlot, error) bool) {
		for number := range pages {
			if _, err := file.ReadAt(page, number*ndbPageSize); err != nil {
				yield(ndbSlot{}, fmt.Errorf("read slot page %d: %w", number, unexpected(err)))
				return
			}
			slots := page
			if number == 0 {
				slots = page[ndbFileHeader:]
			}
			for ; len(slots) > 0; slots = slots[ndbSlotLength:] {
				slot, used, err := parseSlot(slots)
				if (used || err != nil) && !yield(slot, err) {
					return
				}
			}
		}
	}
}

func parseSlot(b []byte) (slot ndbSlot, used bool, err error) {
	if string(b[:4]) != ndbSlotMagic {
		return slot, false, fmt.Errorf("%w: slot without magic", ErrFormat)
	}
	slot = ndbSlot{
		pkg:    binary.LittleEndian.Uint32(b[4:]),
		block:  int64(binary.LittleEndian.Uint32(b[8:])),
		blocks: int64(binary.LittleEndian.Uint32(b[12:])),
	}
	return slot, slot.pkg != 0, nil
}

// ndbBlob reads and checks the blob of a slot. It reuses the buffer and returns it, enlarged if
// necessary.
func ndbBlob(file io.ReaderAt, size int64, slot ndbSlot, buffer []byte) (header, blob []byte, err error) {
	length := slot.blocks * ndbBlock
	if length < ndbHeadLength+ndbTailLength || length > MaxHeader || slot.block*ndbBlock+length > size {
		return nil, buffer, fmt.Errorf("%w: package %d is outside the file", ErrFormat, slot.pkg)
	}
	if int64(cap(buffer)) < length {
		buffer = make([]byte, length)
	}
	blob = buffer[:length]
	if _, err := file.ReadAt(blob, slot.block*ndbBlock); err != nil {
		return nil, buffer, fmt.Errorf("read package %d: %w", slot.pkg, unexpected(err))
	}
	content, tail := blob[:length-ndbTailLength], blob[length-ndbTailLength:]
	if string(content[:4]) != ndbHeadMagic || string(tail[8:]) != ndbTailMagic ||
		binary.LittleEndian.Uint32(content[4:]) != slot.pkg ||
		binary.LittleEndian.Uint32(tail) != adler32.Checksum(content) {
		return nil, buffer, fmt.Errorf("%w: package %d is damaged", ErrFormat, slot.pkg)
	}
	headerLength := binary.LittleEndian.Uint32(content[12:])
	if int64(headerLength) > int64(len(content)-ndbHeadLength) {
		return nil, buffer, fmt.Errorf("%w: package %d of %d bytes", ErrFormat, slot.pkg, headerLength)
	}
	return content[ndbHeadLength:][:headerLength], buffer, nil
}
