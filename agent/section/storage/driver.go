package storage

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"strings"

	"google.golang.org/protobuf/proto"

	"github.com/musterhq/muster/agent/host"
	inventoryv1 "github.com/musterhq/muster/proto/muster/inventory/v1"
)

// ofWindows describes the disks that Windows lists, from the structures of its storage driver. They
// need no rights of an administrator. Windows' own management classes, which ghw uses, have neither
// the firmware's version nor the world wide name.
func ofWindows(h *host.Host) ([]found, error) {
	list, err := h.Disks()
	var disks []found
	for _, d := range list {
		if disk := ofDriver(d); disk != nil {
			disks = append(disks, found{Storage: disk})
		}
	}
	return disks, err
}

// deviceDescriptor has the layout of STORAGE_DEVICE_DESCRIPTOR. Its texts follow it.
type deviceDescriptor struct {
	Version, Size                                    uint32
	Type, Modifier, Removable, Queueing              uint8
	Vendor, Product, Revision, SerialNumber, BusType uint32 // offsets of texts, and the bus
}

// opticalType is the type of an optical drive (SPC-6 table 151).
const opticalType = 5

// Buses (STORAGE_BUS_TYPE).
const (
	busATA         = 3
	busUSB         = 7
	busVirtual     = 14
	busFileBacked  = 15
	busNVMe        = 17
	deviceSelector = 0 // STORAGE_ASSOCIATION_TYPE: of the device, not of its port
)

// busNames has only the buses of disks.
var busNames = map[uint32]string{
	1: "scsi", 2: "ata", busATA: "ata", 4: "ieee1394", 6: "fc", busUSB: "usb", 8: "raid", 9: "iscsi", 10: "sas",
	11: "sata", 12: "mmc", 13: "mmc", 16: "spaces", busNVMe: "nvme", 18: "scm", 19: "ufs",
}

// ofDriver returns nil for a file that is mounted as a disk, and for a drive without a medium.
func ofDriver(d host.Disk) *inventoryv1.Storage {
	var header deviceDescriptor
	if binary.Read(bytes.NewReader(d.Descriptor), binary.LittleEndian, &header) != nil {
		return nil
	}
	removable, optical := header.Removable != 0, header.Type == opticalType
	if header.BusType == busVirtual || header.BusType == busFileBacked || removable && !optical && d.SizeBytes == 0 {
		return nil
	}
	disk := &inventoryv1.Storage{
		Device:           d.Name,
		Bus:              busNames[header.BusType],
		Vendor:           vendor(textAt(d.Descriptor, header.Vendor)),
		Model:            textAt(d.Descriptor, header.Product),
		FirmwareRevision: textAt(d.Descriptor, header.Revision),
		Removable:        proto.Bool(removable),
		Wwn:              deviceName(d.Identifiers),
	}
	if d.SizeBytes > 0 && !optical { // the size of an optical drive is that of the inserted disc
		disk.SizeBytes = proto.Uint64(d.SizeBytes)
	}
	serial := textAt(d.Descriptor, header.SerialNumber)
	switch header.BusType {
	case busNVMe:
		fromController(d.Controller, disk)
	case busUSB: // it may be that of the bridge or of the card reader, which have several disks
	case busATA:
		disk.SerialNumber = swapped(serial)
	default:
		disk.SerialNumber = serial
	}
	disk.MediaType = media(disk, d.SeekPenalty, optical)
	return disk
}

// textAt returns the text at an offset of a structure, where 0 means that there is none.
func textAt(structure []byte, offset uint32) string {
	if offset == 0 || int64(offset) >= int64(len(structure)) {
		return ""
	}
	text, _, _ := bytes.Cut(structure[offset:], []byte{0})
	return printable(text)
}

// printable returns "" for a text with other characters than those of ASCII.
func printable(text []byte) string {
	for _, c := range text {
		if c < ' ' || c > '~' {
			return ""
		}
	}
	return strings.TrimSpace(string(text))
}

// fromController takes the identification of an NVMe disk from its controller, because Windows has
// its world wide name in place of the serial number, and cuts the model.
func fromController(controller []byte, disk *inventoryv1.Storage) {
	if len(controller) < 72 {
		return
	}
	set(&disk.SerialNumber, printable(bytes.TrimRight(controller[4:24], "\x00")))
	if model := printable(bytes.TrimRight(controller[24:64], "\x00")); model != "" {
		disk.Model, disk.Vendor = model, ""
	}
	if revision := printable(bytes.TrimRight(controller[64:72], "\x00")); revision != "" {
		disk.FirmwareRevision = revision
	}
}

// swapped decodes the serial number of an ATA disk, which some drivers return as hexadecimal digits
// with the bytes of each word swapped.
func swapped(serial string) string {
	if len(serial) != 40 {
		return serial
	}
	data, err := hex.DecodeString(serial)
	if err != nil {
		return serial
	}
	for i := 0; i+1 < len(data); i += 2 {
		data[i], data[i+1] = data[i+1], data[i]
	}
	return printable(data)
}

// Types and code sets of identifiers (STORAGE_IDENTIFIER_TYPE, STORAGE_IDENTIFIER_CODE_SET).
const (
	typeEUI64  = 2
	typeNAA    = 3
	typeName   = 8
	codeBinary = 1
)

// deviceName returns the world wide name among the identifiers of a STORAGE_DEVICE_ID_DESCRIPTOR as
// lower-case hexadecimal digits: preferably an NAA name, then an EUI-64, then a SCSI name.
func deviceName(structure []byte) string {
	const header, entry = 12, 16
	if len(structure) < header {
		return ""
	}
	count, at := binary.LittleEndian.Uint32(structure[8:]), header
	names := map[uint32]string{}
	for range min(count, uint32(len(structure)/entry)) { //nolint:gosec // a few KiB
		if at+entry > len(structure) {
			break
		}
		id := structure[at:]
		size, next := int(binary.LittleEndian.Uint16(id[8:])), int(binary.LittleEndian.Uint16(id[10:]))
		code, kind := binary.LittleEndian.Uint32(id), binary.LittleEndian.Uint32(id[4:])
		if binary.LittleEndian.Uint32(id[12:]) == deviceSelector && entry+size <= len(id) && names[kind] == "" {
			names[kind] = nameIn(kind, code, id[entry:entry+size])
		}
		if next == 0 {
			break
		}
		at += next
	}
	for _, kind := range []uint32{typeNAA, typeEUI64, typeName} {
		if names[kind] != "" {
			return names[kind]
		}
	}
	return ""
}

func nameIn(kind, code uint32, id []byte) string {
	switch {
	case kind == typeName:
		return wwn(strings.ToLower(printable(bytes.TrimRight(id, "\x00"))))
	case code == codeBinary && (kind == typeNAA || kind == typeEUI64):
		return wwn("0x" + hex.EncodeToString(id))
	default:
		return ""
	}
}

// media returns the type of the medium. A device without moving heads has no penalty for a seek;
// DEVICE_SEEK_PENALTY_DESCRIPTOR has the answer in its ninth byte. A USB bridge does not ask the
// disk, and a hypervisor does not describe its own.
func media(disk *inventoryv1.Storage, seekPenalty []byte, optical bool) string {
	switch {
	case optical:
		return "optical"
	case disk.Bus == "nvme":
		return "ssd"
	case disk.Bus == "mmc" || disk.Bus == "ufs":
		return "flash"
	case virtual(disk) || disk.Bus == "usb" || disk.Bus == "spaces" || len(seekPenalty) < 9:
		return ""
	case seekPenalty[8] == 0:
		return "ssd"
	default:
		return "hdd"
	}
}
