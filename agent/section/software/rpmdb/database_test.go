package rpmdb

import (
	"bytes"
	"encoding/binary"
	"hash/adler32"
	"io"
	"iter"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const pageSize = 512

// makeBDB makes a hash file: a meta page, one hash page, and a chain of overflow pages for each
// value that is too long for the hash page.
func makeBDB(order binary.ByteOrder, values ...[]byte) []byte {
	file := make([]byte, 2*pageSize)
	page := func(number int) []byte { return file[number*pageSize:][:pageSize] }
	order.PutUint32(page(1)[bdbNumberAt:], 1)
	page(1)[bdbTypeAt] = bdbHash
	order.PutUint16(page(1)[bdbEntriesAt:], uint16(2*len(values)))
	top := pageSize
	place := func(i int, entry []byte) {
		top -= len(entry)
		copy(page(1)[top:], entry)
		order.PutUint16(page(1)[bdbHeaderLength+2*i:], uint16(top))
	}
	for i, value := range values {
		key := make([]byte, 5)
		key[0] = bdbInline
		order.PutUint32(key[1:], uint32(i))
		place(2*i, key)
		if len(value) <= pageSize/4 {
			place(2*i+1, append([]byte{bdbInline}, value...))
			continue
		}
		entry := make([]byte, 12)
		entry[0] = bdbOffPage
		order.PutUint32(entry[4:], uint32(len(file)/pageSize))
		order.PutUint32(entry[8:], uint32(len(value)))
		place(2*i+1, entry)
		for chunk := range slices.Chunk(value, pageSize-bdbHeaderLength) {
			number := len(file) / pageSize
			file = append(file, make([]byte, pageSize)...)
			order.PutUint32(page(number)[bdbNumberAt:], uint32(number))
			order.PutUint32(page(number)[bdbNextAt:], uint32(number+1))
			order.PutUint16(page(number)[bdbLengthAt:], uint16(len(chunk)))
			page(number)[bdbTypeAt] = bdbOverflow
			copy(page(number)[bdbHeaderLength:], chunk)
		}
	}
	order.PutUint32(page(0)[bdbMagicAt:], bdbMagic)
	order.PutUint32(page(0)[bdbPageSizeAt:], pageSize)
	order.PutUint32(page(0)[bdbLastPageAt:], uint32(len(file)/pageSize-1))
	order.PutUint32(page(0)[bdbRecordsAt:], uint32(len(values)))
	page(0)[bdbTypeAt] = bdbMeta
	return file
}

// makeNDB makes an ndb file with one page of slots.
func makeNDB(values ...[]byte) []byte {
	file := make([]byte, ndbPageSize)
	copy(file, ndbMagic)
	binary.LittleEndian.PutUint32(file[12:], 1)
	for at := ndbFileHeader; at < ndbPageSize; at += ndbSlotLength {
		copy(file[at:], ndbSlotMagic)
	}
	for i, value := range values {
		blocks := (ndbHeadLength + len(value) + ndbTailLength + ndbBlock - 1) / ndbBlock
		blob := make([]byte, blocks*ndbBlock)
		copy(blob, ndbHeadMagic)
		binary.LittleEndian.PutUint32(blob[4:], uint32(i+1))
		binary.LittleEndian.PutUint32(blob[12:], uint32(len(value)))
		copy(blob[ndbHeadLength:], value)
		tail := blob[len(blob)-ndbTailLength:]
		binary.LittleEndian.PutUint32(tail, adler32.Checksum(blob[:len(blob)-ndbTailLength]))
		binary.LittleEndian.PutUint32(tail[4:], uint32(len(value)))
		copy(tail[8:], ndbTailMagic)
		slot := file[ndbFileHeader+i*2*ndbSlotLength:] // every second slot stays free
		binary.LittleEndian.PutUint32(slot[4:], uint32(i+1))
		binary.LittleEndian.PutUint32(slot[8:], uint32(len(file)/ndbBlock))
		binary.LittleEndian.PutUint32(slot[12:], uint32(blocks))
		file = append(file, blob...)
	}
	return file
}

func headers(t *testing.T, all iter.Seq2[[]byte, error]) (got [][]byte) {
	t.Helper()
	for header, err := range all {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, bytes.Clone(header))
	}
	return got
}

// value is a text of a length that no other position has.
func value(length int) []byte {
	b := make([]byte, length)
	for i := range b {
		b[i] = byte(i*7 + length)
	}
	return b
}

func TestBerkeleyDB(t *testing.T) {
	t.Parallel()
	want := [][]byte{value(40), value(486), value(5000), value(1)}
	for _, order := range []binary.ByteOrder{binary.LittleEndian, binary.BigEndian} {
		counter := []byte{9, 0, 0, 0}
		file := makeBDB(order, append([][]byte{counter}, want...)...)
		got := headers(t, BerkeleyDB(bytes.NewReader(file), int64(len(file))))
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%v (-want +got):\n%s", order, diff)
		}
	}
}

func TestNDB(t *testing.T) {
	t.Parallel()
	want := [][]byte{value(1), value(4), value(5), value(5000)}
	file := makeNDB(want...)
	if diff := cmp.Diff(want, headers(t, NDB(bytes.NewReader(file), int64(len(file))))); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	file[ndbPageSize+ndbHeadLength] ^= 1 // in the first package
	failed := 0
	for header, err := range NDB(bytes.NewReader(file), int64(len(file))) {
		if err != nil {
			failed++
		} else if bytes.Equal(header, want[0]) {
			t.Error("a damaged package is passed on")
		}
	}
	if failed != 1 {
		t.Errorf("%d damaged packages, want 1", failed)
	}
}

// TestCircle: reading a cyclic chain of overflow pages ends at the value's length.
func TestCircle(t *testing.T) {
	t.Parallel()
	file := makeBDB(binary.LittleEndian, nil, value(5000))
	binary.LittleEndian.PutUint32(file[2*pageSize+bdbNextAt:], 2)
	if got := headers(t, BerkeleyDB(bytes.NewReader(file), int64(len(file)))); len(got) != 1 || len(got[0]) != 5000 {
		t.Errorf("%d headers", len(got))
	}
}

func FuzzBerkeleyDB(f *testing.F) {
	f.Add(makeBDB(binary.LittleEndian, []byte{1, 0, 0, 0}, value(40), value(2000)))
	f.Add(makeBDB(binary.BigEndian, []byte{1, 0, 0, 0}, value(600)))
	f.Fuzz(func(t *testing.T, file []byte) { walk(t, file, BerkeleyDB) })
}

func FuzzNDB(f *testing.F) {
	f.Add(makeNDB(value(40), value(2000)))
	f.Fuzz(func(t *testing.T, file []byte) { walk(t, file, NDB) })
}

// walk checks that no header is longer than the file and that the iteration can be stopped, for any
// bytes.
func walk(t *testing.T, file []byte, read func(io.ReaderAt, int64) iter.Seq2[[]byte, error]) {
	t.Helper()
	for header, err := range read(bytes.NewReader(file), int64(len(file))) {
		if len(header) > len(file) || err != nil && header != nil {
			t.Errorf("%d bytes of %d, error %v", len(header), len(file), err)
		}
	}
	for range read(bytes.NewReader(file), int64(len(file))) {
		break
	}
}
