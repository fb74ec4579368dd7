package storage

import (
	"encoding/binary"
	"maps"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/testing/protocmp"

	"github.com/musterhq/muster/agent/host"
	"github.com/musterhq/muster/agent/section"
	"github.com/musterhq/muster/agent/section/hosttest"
	"github.com/musterhq/muster/internal/inventory"
	inventoryv1 "github.com/musterhq/muster/proto/muster/inventory/v1"
)

// plug adds a disk to a tree: the link in /sys/block, and its attributes below its device's
// directory.
func plug(tree map[string]string, device string, attributes map[string]string) {
	name := device[strings.LastIndexByte(device, '/')+1:]
	tree["/sys/block/"+name] = "-> ../devices/" + device
	tree["/sys/devices/"+device+"/"] = ""
	for attribute, value := range attributes {
		tree["/sys/devices/"+device+"/"+attribute] = value
	}
}

const (
	pci   = "pci0000:00/0000:00:17.0/"
	sata  = pci + "ata1/host0/target0:0:0/0:0:0:0/block/"
	usb   = "pci0000:00/0000:00:14.0/usb1/1-2/"
	stick = usb + "1-2:1.0/host3/target3:0:0/3:0:0:0/block/"
)

func collectAll(t *testing.T, tree map[string]string) ([]*inventoryv1.Storage, section.Report) {
	t.Helper()
	report := section.Run(t.Context(), hosttest.Tree(t, tree), []section.Collector{Collector()})[0]
	var disks []*inventoryv1.Storage
	for _, item := range report.Items {
		disks = append(disks, item.(*inventoryv1.Storage))
	}
	return disks, report
}

func TestDisks(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		device     string
		attributes map[string]string
		others     map[string]string
		want       *inventoryv1.Storage
	}{
		"NVMe": {
			pci + "nvme/nvme0/nvme0n1",
			map[string]string{
				"size": "2000409264\n", "removable": "0\n", "queue/rotational": "0\n", "wwid": "eui.0025388B01234567\n", "device/model": "Samsung SSD 990 PRO 1TB                 \n",
				"device/serial": "S6Z1NJ0T000042X     \n", "device/firmware_rev": "4B2QJXD7\n", "device/device/vendor": "0x144d\n",
			}, nil,
			&inventoryv1.Storage{Model: "Samsung SSD 990 PRO 1TB", SerialNumber: "S6Z1NJ0T000042X", Wwn: "0025388b01234567", FirmwareRevision: "4B2QJXD7", SizeBytes: proto.Uint64(2000409264 * 512), MediaType: "ssd", Bus: "nvme", Removable: proto.Bool(false), Device: "nvme0n1"},
		},
		"NVMe of native multipath, without a world wide name": {
			"virtual/nvme-subsystem/nvme-subsys0/nvme0n1",
			map[string]string{"size": "8\n", "removable": "0\n", "wwid": "nvme.1987-3042-50-00000001\n", "device/model": "Old NVMe\n", "device/serial": "42\n"}, nil,
			&inventoryv1.Storage{Model: "Old NVMe", SerialNumber: "42", SizeBytes: proto.Uint64(8 * 512), MediaType: "ssd", Bus: "nvme", Removable: proto.Bool(false), Device: "nvme0n1"},
		},
		"SATA with its own words": {
			sata + "sda",
			map[string]string{
				"size": "1000215216\n", "removable": "0\n", "queue/rotational": "0\n", "device/vendor": "ATA     \n", "device/model": "Samsung SSD 860 \n", "device/rev": "4B6Q\n",
				"device/vpd_pg80": unitSerialPage("S3Z8NB0K000042A     "), "device/vpd_pg89": ataInformation("Samsung SSD 860 EVO 500GB", "S3Z8NB0K000042A", "RVT04B6Q"),
				"device/wwid": "naa.5002538E40A1B2C3\n",
			}, nil,
			&inventoryv1.Storage{Model: "Samsung SSD 860 EVO 500GB", SerialNumber: "S3Z8NB0K000042A", Wwn: "5002538e40a1b2c3", FirmwareRevision: "RVT04B6Q", SizeBytes: proto.Uint64(1000215216 * 512), MediaType: "ssd", Bus: "sata", Removable: proto.Bool(false), Device: "sda"},
		},
		"SATA by udev's words": {
			sata + "sda",
			map[string]string{"size": "16\n", "removable": "0\n", "queue/rotational": "1\n", "dev": "8:0\n", "device/vendor": "ATA\n", "device/model": "WDC WD10EZEX-08W\n"},
			map[string]string{"/run/udev/data/b8:0": "S:disk/by-id/x\nE:ID_SERIAL_SHORT=WD-WCC6Y0000042\nE:ID_MODEL_ENC=WDC\\x20WD10EZEX-08WN4A0\\x20\\x20\nE:ID_WWN=0x50014ee2b0000042\nE:ID_REVISION=01.01A01\n"},
			&inventoryv1.Storage{Model: "WDC WD10EZEX-08WN4A0", SerialNumber: "WD-WCC6Y0000042", Wwn: "50014ee2b0000042", FirmwareRevision: "01.01A01", SizeBytes: proto.Uint64(16 * 512), MediaType: "hdd", Bus: "sata", Removable: proto.Bool(false), Device: "sda"},
		},
		"parallel ATA": {
			sata + "sda", map[string]string{"size": "16\n", "queue/rotational": "1\n"},
			map[string]string{"/sys/devices/" + pci + "ata1/link1/ata_link/link1/sata_spd_limit": "<unknown>\n"},
			&inventoryv1.Storage{Path: "sda", SizeBytes: proto.Uint64(16 * 512), MediaType: "hdd", Bus: "ata", Device: "sda"},
		},
		"SATA behind a SAS controller": {
			pci + "host0/port-0:0/end_device-0:0/target0:0:0/0:0:0:0/block/sdb", map[string]string{"size": "16\n", "queue/rotational": "0\n", "device/vendor": "ATA\n"}, nil,
			&inventoryv1.Storage{Path: "sdb", SizeBytes: proto.Uint64(16 * 512), MediaType: "ssd", Bus: "sata", Device: "sdb"},
		},
		"SAS": {
			pci + "host0/port-0:0/end_device-0:0/target0:0:0/0:0:0:0/block/sdb", map[string]string{"size": "16\n", "queue/rotational": "1\n", "device/vendor": "SEAGATE \n", "device/model": "ST600MM0006\n", "device/rev": "LS0A\n"}, nil,
			&inventoryv1.Storage{Path: "sdb", Vendor: "SEAGATE", Model: "ST600MM0006", FirmwareRevision: "LS0A", SizeBytes: proto.Uint64(16 * 512), MediaType: "hdd", Bus: "sas", Device: "sdb"},
		},
		"a USB stick calls itself rotational": {
			stick + "sdb", map[string]string{"size": "16\n", "removable": "1\n", "queue/rotational": "1\n", "device/vendor": "SanDisk \n", "device/model": "Ultra\n"},
			map[string]string{"/sys/devices/" + usb + "serial": "4C530000000000000042\n"},
			&inventoryv1.Storage{Path: "sdb", Vendor: "SanDisk", Model: "Ultra", SizeBytes: proto.Uint64(16 * 512), Bus: "usb", Removable: proto.Bool(true), Device: "sdb"},
		},
		"a USB disk whose rotation udev has read": {
			stick + "sdb", map[string]string{"size": "16\n", "queue/rotational": "1\n", "dev": "8:16\n"},
			map[string]string{"/run/udev/data/b8:16": "E:ID_ATA_ROTATION_RATE_RPM=5400\n"},
			&inventoryv1.Storage{Path: "sdb", SizeBytes: proto.Uint64(16 * 512), MediaType: "hdd", Bus: "usb", Device: "sdb"},
		},
		"a USB bridge has one number for itself and the disk": {
			stick + "sdb", map[string]string{"size": "16\n", "removable": "0\n", "device/vpd_pg80": unitSerialPage("000000123ADF"), "device/serial": "000000123ADF"},
			map[string]string{"/sys/devices/" + usb + "serial": "000000123ADF\n"},
			&inventoryv1.Storage{Path: "sdb", SizeBytes: proto.Uint64(16 * 512), Bus: "usb", Removable: proto.Bool(false), Device: "sdb"},
		},
		"a USB bridge passes on the disk's own page": {
			stick + "sdb", map[string]string{"size": "16\n", "removable": "0\n", "device/vpd_pg80": unitSerialPage("000000123ADF"), "device/vpd_pg89": ataInformation("WDC WD10SPZX", "WD-WX11A0000042", "01.01A01")},
			map[string]string{"/sys/devices/" + usb + "serial": "000000123ADF\n"},
			&inventoryv1.Storage{Model: "WDC WD10SPZX", SerialNumber: "WD-WX11A0000042", FirmwareRevision: "01.01A01", SizeBytes: proto.Uint64(16 * 512), Bus: "usb", Removable: proto.Bool(false), Device: "sdb"},
		},
		"a USB bridge passes on the disk's unit serial number": {
			stick + "sdb", map[string]string{"size": "16\n", "removable": "0\n", "device/vpd_pg80": unitSerialPage("S3Z8NB0K000042A")},
			map[string]string{"/sys/devices/" + usb + "serial": "000000123ADF\n"},
			&inventoryv1.Storage{SerialNumber: "S3Z8NB0K000042A", SizeBytes: proto.Uint64(16 * 512), Bus: "usb", Removable: proto.Bool(false), Device: "sdb"},
		},
		"udev has asked the disk behind a USB bridge": {
			stick + "sdb", map[string]string{"size": "16\n", "removable": "0\n", "dev": "8:16\n"},
			map[string]string{"/sys/devices/" + usb + "serial": "000000123ADF\n", "/run/udev/data/b8:16": "E:ID_BUS=ata\nE:ID_SERIAL_SHORT=WD-WX11A0000042\n"},
			&inventoryv1.Storage{SerialNumber: "WD-WX11A0000042", SizeBytes: proto.Uint64(16 * 512), Bus: "usb", Removable: proto.Bool(false), Device: "sdb"},
		},
		"a card reader without a card": {stick + "sdc", map[string]string{"size": "0\n", "removable": "1\n"}, nil, nil},
		"an optical drive has no size of its own": {
			pci + "ata2/host1/target1:0:0/1:0:0:0/block/sr0", map[string]string{"size": "2097151\n", "removable": "1\n", "queue/rotational": "1\n", "device/type": "5\n", "device/vendor": "HL-DT-ST\n", "device/model": "DVDRAM GUD1N\n"}, nil,
			&inventoryv1.Storage{Path: "sr0", Vendor: "HL-DT-ST", Model: "DVDRAM GUD1N", MediaType: "optical", Bus: "sata", Removable: proto.Bool(true), Device: "sr0"},
		},
		"eMMC": {
			"platform/soc/mmc_host/mmc0/mmc0:0001/block/mmcblk0", map[string]string{"size": "16\n", "removable": "0\n", "device/name": "BJTD4R\n", "device/serial": "0x12345678\n", "device/fwrev": "0x05\n"}, nil,
			&inventoryv1.Storage{Model: "BJTD4R", SerialNumber: "0x12345678", FirmwareRevision: "0x05", SizeBytes: proto.Uint64(16 * 512), MediaType: "flash", Bus: "mmc", Removable: proto.Bool(false), Device: "mmcblk0"},
		},
		"eMMC's boot partition": {"platform/soc/mmc_host/mmc0/mmc0:0001/block/mmcblk0/mmcblk0boot0", map[string]string{"size": "16\n"}, nil, nil},
		"virtio": {
			pci + "virtio1/block/vda", map[string]string{"size": "16\n", "removable": "0\n", "queue/rotational": "1\n", "serial": "vol-0042", "device/vendor": "0x1af4\n"}, nil,
			&inventoryv1.Storage{SerialNumber: "vol-0042", SizeBytes: proto.Uint64(16 * 512), Bus: "virtio", Removable: proto.Bool(false), Device: "vda"},
		},
		"a hypervisor's SCSI disk": {
			pci + "host0/target0:0:0/0:0:0:0/block/sda", map[string]string{"size": "16\n", "queue/rotational": "1\n", "device/vendor": "VMware  \n", "device/model": "Virtual disk\n"}, nil,
			&inventoryv1.Storage{Path: "sda", Vendor: "VMware", Model: "Virtual disk", SizeBytes: proto.Uint64(16 * 512), Bus: "scsi", Device: "sda"},
		},
		"hidden":        {pci + "nvme/nvme0/nvme0c0n1", map[string]string{"size": "16\n", "hidden": "1\n"}, nil, nil},
		"device mapper": {"virtual/block/dm-0", map[string]string{"size": "16\n"}, nil, nil},
		"floppy":        {"platform/floppy.0/block/fd0", map[string]string{"size": "8\n"}, nil, nil},
		"not a number":  {pci + "host0/target0:0:0/block/sda", map[string]string{"size": "-1\n", "removable": "x\n"}, nil, &inventoryv1.Storage{Path: "sda", Bus: "scsi", Device: "sda"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tree := map[string]string{"/sys/block/": ""}
			maps.Copy(tree, tt.others)
			plug(tree, tt.device, tt.attributes)
			got, report := collectAll(t, tree)
			var want []*inventoryv1.Storage
			if tt.want != nil {
				want = append(want, tt.want)
			}
			if diff := cmp.Diff(want, got, protocmp.Transform()); diff != "" {
				t.Errorf("disks (-want +got):\n%s", diff)
			}
			if report.Status != inventory.StatusOK {
				t.Errorf("status %s: %s", report.Status, report.Message)
			}
		})
	}
}

// unitSerialPage makes SCSI's page 0x80.
func unitSerialPage(serial string) string {
	return string(append([]byte{0, 0x80, 0, byte(len(serial))}, serial...))
}

// ataInformation makes SCSI's page 0x89 of an ATA disk.
func ataInformation(model, serial, firmware string) string {
	page := make([]byte, ataPage)
	page[1] = 0x89
	binary.BigEndian.PutUint16(page[2:], ataPage-4)
	write := func(text string, first, last int) {
		padded := []byte(text + strings.Repeat(" ", 2*(last-first+1)-len(text)))
		for i := 0; i < len(padded); i += 2 {
			page[ataIdentify+2*first+i], page[ataIdentify+2*first+i+1] = padded[i+1], padded[i]
		}
	}
	write(serial, 10, 19)
	write(firmware, 23, 26)
	write(model, 27, 46)
	return string(page)
}

func TestOneDiskOnSeveralPathsIsOne(t *testing.T) {
	t.Parallel()
	tree := map[string]string{}
	for _, name := range []string{"sdaa", "sdb", "sda"} {
		plug(tree, pci+"host0/rport-0:0-0/target0/"+name, map[string]string{"size": "16\n", "device/wwid": "naa.600508b1001c0042\n"})
	}
	got, _ := collectAll(t, tree)
	want := []*inventoryv1.Storage{{Wwn: "600508b1001c0042", SizeBytes: proto.Uint64(16 * 512), Bus: "fc", Device: "sda"}}
	if diff := cmp.Diff(want, got, protocmp.Transform()); diff != "" {
		t.Errorf("disks (-want +got):\n%s", diff)
	}
}

// TestRecordedTwins: two bays of a USB bridge, two card readers and two cheap disks, each two with
// one serial number, are two disks.
func TestRecordedTwins(t *testing.T) {
	t.Parallel()
	for _, tree := range []string{"root", "root2", "root3"} {
		report := section.Run(t.Context(), hosttest.Case(t, "disk-dual-bay-usb", tree), []section.Collector{Collector()})[0]
		keys := map[[3]string]bool{}
		for _, item := range report.Items {
			disk := item.(*inventoryv1.Storage)
			keys[[3]string{disk.SerialNumber, disk.Wwn, disk.Path}] = true
			if disk.Bus == "usb" && disk.SerialNumber != "" {
				t.Errorf("%s: the bridge's serial number is taken for that of the disk: %v", tree, disk)
			}
		}
		if len(report.Items) != 2 || len(keys) != 2 || report.Status != inventory.StatusOK {
			t.Errorf("%s: %v, status %s: %s; want two disks with different keys", tree, report.Items, report.Status, report.Message)
		}
	}
}

func TestTwinsAndPaths(t *testing.T) {
	t.Parallel()
	const unit = "/target0:0:0/0:0:0:"
	numbered := func(serial string, more ...string) map[string]string {
		attributes := map[string]string{"size": "16\n", "device/vpd_pg80": unitSerialPage(serial), "device/model": "M\n"}
		for i := 0; i < len(more); i += 2 {
			attributes[more[i]] = more[i+1]
		}
		return attributes
	}
	const naa = "naa.600508b1001c0042\n"
	type disks map[string]map[string]string // attributes by device
	for name, tt := range map[string]struct {
		disks disks
		want  int
	}{
		"SATA, one world wide name of a careless maker": {disks{
			pci + "ata1/host0/target0:0:0/0:0:0:0/block/sda": numbered("1", "device/wwid", naa),
			pci + "ata2/host1/target1:0:0/1:0:0:0/block/sdb": numbered("1", "device/wwid", naa),
		}, 2},
		"NVMe, namespaces of one controller": {disks{
			pci + "nvme/nvme0/nvme0n1": {"size": "16\n", "device/serial": "S1", "device/model": "M"},
			pci + "nvme/nvme0/nvme0n2": {"size": "16\n", "device/serial": "S1", "device/model": "M"},
		}, 2},
		"NVMe, one world wide name and two serial numbers": {disks{
			pci + "nvme/nvme0/nvme0n1": {"size": "16\n", "device/serial": "S1", "wwid": "eui.0000000001000000"},
			pci + "nvme/nvme1/nvme1n1": {"size": "16\n", "device/serial": "S2", "wwid": "eui.0000000001000000"},
		}, 2},
		"NVMe, one serial number in two slots": {disks{
			pci + "nvme/nvme0/nvme0n1": {"size": "16\n", "device/serial": "S1"},
			pci + "nvme/nvme1/nvme1n1": {"size": "16\n", "device/serial": "S1"},
		}, 2},
		"NVMe with two ports": {disks{
			pci + "nvme/nvme0/nvme0n1": {"size": "16\n", "device/serial": "S1", "wwid": "uuid.00000000-0000-0000-0000-000000000042"},
			pci + "nvme/nvme1/nvme1n1": {"size": "16\n", "device/serial": "S1", "wwid": "uuid.00000000-0000-0000-0000-000000000042"},
		}, 1},
		"NVMe over fabrics without a world wide name": {disks{
			"virtual/nvme-fabrics/ctl/nvme0/nvme0n1": {"size": "16\n", "device/serial": "S1"},
			"virtual/nvme-fabrics/ctl/nvme1/nvme1n1": {"size": "16\n", "device/serial": "S1"},
		}, 1},
		"SAS, two paths without a world wide name": {disks{
			pci + "host0/port-0:0/end_device-0:0" + unit + "0/block/sda": numbered("1"),
			pci + "host0/port-0:1/end_device-0:1" + unit + "0/block/sdb": numbered("1"),
		}, 1},
		"iSCSI, two units of an array with one serial number": {disks{
			"platform/host0/session1" + unit + "0/block/sda": numbered("1"),
			"platform/host0/session1" + unit + "1/block/sdb": numbered("1"),
		}, 2},
		"SCSI of an unknown transport": {disks{
			pci + "host0" + unit + "0/block/sda": numbered("1"),
			pci + "host0" + unit + "1/block/sdb": numbered("1"),
		}, 2},
		"SCSI of a RAID controller with two paths": {disks{
			pci + "host0" + unit + "0/block/sda": numbered("1", "device/wwid", naa),
			pci + "host1" + unit + "0/block/sdb": numbered("1", "device/wwid", naa),
		}, 1},
		"USB, one world wide name for two bays": {disks{
			usb + "1-2:1.0/host0" + unit + "0/block/sda": numbered("1", "device/wwid", naa),
			usb + "1-2:1.0/host0" + unit + "1/block/sdb": numbered("1", "device/wwid", naa),
		}, 2},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tree := map[string]string{}
			for device, attributes := range tt.disks {
				plug(tree, device, attributes)
			}
			got, _ := collectAll(t, tree)
			keys := map[[3]string]bool{}
			for _, disk := range got {
				keys[[3]string{disk.SerialNumber, disk.Wwn, disk.Path}] = true
			}
			if len(got) != tt.want || len(keys) != tt.want {
				t.Errorf("%v: want %d disks with different keys", got, tt.want)
			}
		})
	}
}

func TestNoSysfs(t *testing.T) {
	t.Parallel()
	if _, report := collectAll(t, map[string]string{"/etc/": ""}); report.Status != inventory.StatusUnsupported {
		t.Errorf("status %s: %s", report.Status, report.Message)
	}
}

func FuzzPages(f *testing.F) {
	f.Add([]byte(unitSerialPage("S3Z8NB0K000042A")))
	f.Add([]byte(ataInformation("model", "serial", "firmware")))
	f.Fuzz(func(t *testing.T, page []byte) {
		model, serial, firmware := parseATA(page)
		if len(model) > 40 || len(serial) > 20 || len(firmware) > 8 {
			t.Errorf("longer than their fields: %q %q %q", model, serial, firmware)
		}
		if got := parseUnitSerial(page); len(got) > max(0, len(page)-4) {
			t.Errorf("%q of %d bytes", got, len(page))
		}
	})
}

func FuzzUdev(f *testing.F) {
	f.Add("N:sda\nE:ID_MODEL_ENC=WDC\\x20WD10\nE:=\nE:X\n")
	f.Fuzz(func(t *testing.T, text string) {
		for _, value := range parseUdev(text) {
			if len(unescape(value)) > len(value) {
				t.Errorf("unescape(%q) is longer", value)
			}
		}
	})
}

func BenchmarkCollect(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, err := collect(b.Context(), host.Local()); err != nil {
			b.Fatal(err)
		}
	}
}
