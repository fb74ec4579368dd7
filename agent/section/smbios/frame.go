package smbios

import (
	"bytes"
	"encoding/binary"
)

// frame is a table without the container in which it was captured.
type frame struct {
	table   []byte
	version Version // zero if unknown
	length  int     // in bytes, as declared; 0 if unknown
}

func frameOf(data, entryPoint []byte) frame {
	if f, ok := windowsFrame(data); ok {
		return f
	}
	if e, ok := parseEntryPoint(data); ok {
		return e.dumped(data)
	}
	e, _ := parseEntryPoint(entryPoint)
	return frame{table: data, version: e.version, length: e.length}
}

// windowsHeader is the length of RawSMBIOSData before the table: calling method, major and minor
// version, DMI revision, and the table's length in bytes (Win32 GetSystemFirmwareTable).
const windowsHeader = 8

// maxLength bounds the declared length of a table, in bytes. The largest known have about 100 KiB.
const maxLength = 16 << 20

// windowsFrame recognizes the format of Windows, also in a truncated file: its second byte is the
// major version, 2 or 3. In a bare table that byte is the length of a structure, at least 4.
func windowsFrame(data []byte) (frame, bool) {
	if len(data) < windowsHeader {
		return frame{}, false
	}
	table := data[windowsHeader:]
	length := int64(binary.LittleEndian.Uint32(data[4:]))
	versioned := data[0] <= 1 && data[1] >= 2 && data[1] < headerLength && length <= maxLength
	if !versioned && length != int64(len(table)) {
		return frame{}, false
	}
	if length < int64(len(table)) {
		table = table[:length]
	}
	return frame{table: table, version: Version{data[1], data[2]}.corrected(), length: int(length)}, true
}

// entryPoint is the entry point of a table (SMBIOS 3.7 §5.2).
type entryPoint struct {
	version Version
	length  int // of the table, in bytes; an upper bound if the entry point has 64 bits
	address uint64
}

// parseEntryPoint reads an entry point of 32 bits (§5.2.1) or 64 bits (§5.2.2). It ignores the
// checksum, because there is no better source if the checksum is wrong.
func parseEntryPoint(data []byte) (entryPoint, bool) {
	switch {
	case bytes.HasPrefix(data, []byte("_SM_")) && len(data) >= 0x1C:
		return entryPoint{
			version: Version{data[6], data[7]}.corrected(),
			length:  int(binary.LittleEndian.Uint16(data[0x16:])),
			address: uint64(binary.LittleEndian.Uint32(data[0x18:])),
		}, true
	case bytes.HasPrefix(data, []byte("_SM3_")) && len(data) >= 0x18:
		return entryPoint{
			version: Version{data[7], data[8]},
			length:  int(min(binary.LittleEndian.Uint32(data[0x0C:]), maxLength)),
			address: binary.LittleEndian.Uint64(data[0x10:]),
		}, true
	}
	return entryPoint{}, false
}

// dumped finds the table in a dump of dmidecode, where the address is an offset into the file.
func (e entryPoint) dumped(data []byte) frame {
	f := frame{version: e.version, length: e.length}
	if e.address < uint64(len(data)) {
		f.table = data[e.address:]
	}
	if e.length < len(f.table) {
		f.table = f.table[:e.length]
	}
	return f
}
