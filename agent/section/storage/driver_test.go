package storage

import (
	"encoding/binary"
	"encoding/hex"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/testing/protocmp"

	"github.com/musterhq/muster/agent/host"
	inventoryv1 "github.com/musterhq/muster/proto/muster/inventory/v1"
)

// descriptor builds a STORAGE_DEVICE_DESCRIPTOR.
func descriptor(bus uint32, kind, removable byte, vendor, product, revision, serial string) []byte {
	d := make([]byte, 36)
	d[8], d[10] = kind, removable
	for i, text := range []string{vendor, product, revision, serial} {
		if text != "" {
			binary.LittleEndian.PutUint32(d[12+4*i:], uint32(len(d)))
			d = append(d, text+"\x00"...)
		}
	}
	binary.LittleEndian.PutUint32(d[28:], bus)
	return d
}

// identifiers builds a STORAGE_DEVICE_ID_DESCRIPTOR of entries: code set, type, association, bytes.
func identifiers(entries ...[4]string) []byte {
	d := make([]byte, 12)
	d[8] = byte(len(entries))
	for _, e := range entries {
		id := make([]byte, 16, 64)
		id[0], id[4], id[12] = e[0][0]-'0', e[1][0]-'0', e[2][0]-'0'
		id = append(id, e[3]...)
		binary.LittleEndian.PutUint16(id[8:], uint16(len(e[3])))
		binary.LittleEndian.PutUint16(id[10:], uint16(len(id)))
		d = append(d, id...)
	}
	return d
}

func controller(serial, model, firmware string) []byte {
	c := make([]byte, 512)
	copy(c[4:24], "                    ")
	copy(c[24:64], "                                        ")
	copy(c[4:], serial)
	copy(c[24:], model)
	copy(c[64:72], firmware)
	return c
}

func TestOfDriver(t *testing.T) {
	t.Parallel()
	noPenalty, penalty := []byte{12, 0, 0, 0, 12, 0, 0, 0, 0}, []byte{12, 0, 0, 0, 12, 0, 0, 0, 1}
	naa := "\x50\x02\x53\x8d\x40\x11\x22\x33"
	for name, test := range map[string]struct {
		disk host.Disk
		want *inventoryv1.Storage
	}{
		"sata": {
			host.Disk{
				Name: "PhysicalDrive0", SizeBytes: 1000, SeekPenalty: noPenalty,
				Descriptor:  descriptor(11, 0, 0, "", "Samsung SSD 870 EVO 1TB", "SVT02B6Q", "S6PUNX0R123456 "),
				Identifiers: identifiers([4]string{"2", "1", "0", "ATA     Samsung"}, [4]string{"1", "3", "1", "\x50port"}, [4]string{"1", "3", "0", naa}),
			},
			&inventoryv1.Storage{
				Device: "PhysicalDrive0", Bus: "sata", Model: "Samsung SSD 870 EVO 1TB", FirmwareRevision: "SVT02B6Q",
				SerialNumber: "S6PUNX0R123456", Wwn: "5002538d40112233", SizeBytes: proto.Uint64(1000), Removable: proto.Bool(false), MediaType: "ssd",
			},
		},
		"nvme": {
			host.Disk{
				Name: "PhysicalDrive1", SizeBytes: 2000, Controller: controller("S64FNX0T", "Samsung SSD 980 PRO 2TB", "5B2QGXA7"),
				Descriptor:  descriptor(17, 0, 0, "NVMe", "Samsung SSD 980", "5B2Q", "0025_38B1_1140_1234."),
				Identifiers: identifiers([4]string{"3", "8", "0", "eui.002538B111401234"}),
			},
			&inventoryv1.Storage{
				Device: "PhysicalDrive1", Bus: "nvme", Model: "Samsung SSD 980 PRO 2TB", FirmwareRevision: "5B2QGXA7", SerialNumber: "S64FNX0T",
				Wwn: "002538b111401234", SizeBytes: proto.Uint64(2000), Removable: proto.Bool(false), MediaType: "ssd",
			},
		},
		"nvme without rights": {
			host.Disk{Descriptor: descriptor(17, 0, 0, "NVMe", "X", "1", "0025_38B1_1140_1234."), SizeBytes: 1},
			&inventoryv1.Storage{
				Bus: "nvme", Vendor: "NVMe", Model: "X", FirmwareRevision: "1", SizeBytes: proto.Uint64(1), Removable: proto.Bool(false), MediaType: "ssd",
			},
		},
		"old ata": {
			host.Disk{
				SizeBytes: 1, SeekPenalty: penalty,
				Descriptor: descriptor(3, 0, 0, "", "WDC WD5000", "01.0", "2020202057202d44435733433146333235343736"),
			},
			&inventoryv1.Storage{
				Bus: "ata", Model: "WDC WD5000", FirmwareRevision: "01.0", SerialNumber: "WD-WCC3F1234567", SizeBytes: proto.Uint64(1),
				Removable: proto.Bool(false), MediaType: "hdd",
			},
		},
		"stick": {
			host.Disk{SizeBytes: 1, SeekPenalty: penalty, Descriptor: descriptor(7, 0, 1, "SanDisk", "Ultra", "1.00", "4C530001")},
			&inventoryv1.Storage{
				Bus: "usb", Vendor: "SanDisk", Model: "Ultra", FirmwareRevision: "1.00", SizeBytes: proto.Uint64(1), Removable: proto.Bool(true),
			},
		},
		"optical": {
			host.Disk{Name: "CdRom0", SizeBytes: 7, Descriptor: descriptor(11, 5, 1, "HL-DT-ST", "DVDRAM", "1.0", "K1")},
			&inventoryv1.Storage{
				Device: "CdRom0", Bus: "sata", Vendor: "HL-DT-ST", Model: "DVDRAM", FirmwareRevision: "1.0", SerialNumber: "K1",
				Removable: proto.Bool(true), MediaType: "optical",
			},
		},
		"of Hyper-V": {
			host.Disk{SizeBytes: 9, SeekPenalty: noPenalty, Descriptor: descriptor(10, 0, 0, "Msft", "Virtual Disk", "1.0", "")},
			&inventoryv1.Storage{
				Bus: "sas", Vendor: "Msft", Model: "Virtual Disk", FirmwareRevision: "1.0", SizeBytes: proto.Uint64(9), Removable: proto.Bool(false),
			},
		},
		"reader without card": {host.Disk{Descriptor: descriptor(7, 0, 1, "Generic", "Reader", "", "")}, nil},
		"mounted image":       {host.Disk{SizeBytes: 1, Descriptor: descriptor(15, 0, 0, "Msft", "Virtual Disk", "", "")}, nil},
		"cut":                 {host.Disk{SizeBytes: 1, Descriptor: make([]byte, 20)}, nil},
	} {
		if diff := gocmp.Diff(test.want, ofDriver(test.disk), protocmp.Transform()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

func FuzzDriver(f *testing.F) {
	f.Add(descriptor(11, 0, 0, "a", "b", "c", "d"), identifiers([4]string{"1", "3", "0", "12345678"}), []byte{}, controller("a", "b", "c"))
	f.Add(descriptor(17, 0, 0, "a", "", "c", "d"), identifiers([4]string{"3", "8", "0", "naa.5"}), []byte{}, []byte{})
	f.Fuzz(func(t *testing.T, descriptor, identifiers, seekPenalty, controller []byte) {
		disk := ofDriver(host.Disk{
			Descriptor: descriptor, Identifiers: identifiers, SeekPenalty: seekPenalty, Controller: controller, SizeBytes: 1,
		})
		if _, err := proto.Marshal(disk); err != nil {
			t.Errorf("%v: %v", disk, err)
		}
		swapped(hex.EncodeToString(descriptor))
	})
}
