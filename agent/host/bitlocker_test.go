package host

import (
	"encoding/binary"
	"slices"
	"testing"
)

// encrypted returns the first sector of an encrypted volume and a copy of its metadata.
func encrypted(state, next, algorithm uint16, protectors ...uint16) (sector, block []byte) {
	sector = make([]byte, 512)
	copy(sector, "\xebX\x90"+bitLockerMagic)
	for i, offset := range []uint64{0x2100000, 0, 0x6a00000} {
		binary.LittleEndian.PutUint64(sector[bitLockerOffsets+8*i:], offset)
	}
	block = make([]byte, bitLockerBlock+bitLockerHeader)
	copy(block, bitLockerMagic)
	binary.LittleEndian.PutUint16(block[10:], 2)
	binary.LittleEndian.PutUint16(block[12:], state)
	binary.LittleEndian.PutUint16(block[14:], next)
	binary.LittleEndian.PutUint16(block[bitLockerBlock+36:], algorithm)
	entry := func(kind, value uint16, content []byte) {
		block = binary.LittleEndian.AppendUint16(block, uint16(bitLockerEntry+len(content)))
		block = binary.LittleEndian.AppendUint16(block, kind)
		block = binary.LittleEndian.AppendUint16(block, value)
		block = append(append(block, 1, 0), content...)
	}
	entry(7, 2, []byte("D\x00E\x00S\x00K\x00")) // the description
	for _, protector := range protectors {
		key := make([]byte, bitLockerKey, bitLockerKey+32)
		binary.LittleEndian.PutUint16(key[bitLockerKey-2:], protector)
		entry(bitLockerMasterKey, bitLockerMasterValue, append(key, make([]byte, 32)...))
	}
	entry(3, 5, make([]byte, 64)) // the key of the volume
	size := uint32(len(block) - bitLockerBlock)
	binary.LittleEndian.PutUint32(block[bitLockerBlock:], size)
	binary.LittleEndian.PutUint32(block[bitLockerBlock+8:], bitLockerHeader)
	return sector, append(block, make([]byte, 1024)...)
}

func TestBitLocker(t *testing.T) {
	t.Parallel()
	sector, block := encrypted(4, 4, 0x8004, 0x800, 0x100, 0x800)
	if got := bitLockerMetadata(sector); !slices.Equal(got, []uint64{0x2100000, 0x6a00000}) {
		t.Errorf("metadata at %#x", got)
	}
	got := parseBitLocker(block)
	if got == nil || got.State != 4 || got.Next != 4 || got.Algorithm != 0x8004 || !slices.Equal(got.Protectors, []uint16{0x100, 0x800}) {
		t.Errorf("got %+v", got)
	}
	if bitLockerMetadata([]byte("\xebR\x90NTFS    ")) != nil || bitLockerMetadata(make([]byte, 512)) != nil {
		t.Error("another volume has metadata")
	}
	block[10] = 1 // of Windows Vista
	if parseBitLocker(block) != nil {
		t.Error("another version is read")
	}
}

func FuzzBitLocker(f *testing.F) {
	sector, block := encrypted(2, 4, 0x8002, 0, 0x500)
	f.Add(sector)
	f.Add(block)
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(bitLockerMetadata(data)) > 3 {
			t.Error("more than three copies")
		}
		if b := parseBitLocker(data); b != nil && !slices.IsSorted(b.Protectors) {
			t.Errorf("%+v", b)
		}
	})
}
