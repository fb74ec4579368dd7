package main

import (
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/musterhq/muster/internal/inventory"
	"github.com/musterhq/muster/internal/wire"
	inventoryv1 "github.com/musterhq/muster/proto/muster/inventory/v1"
)

// content is what a machine has of a section.
type content struct {
	section string
	items   []wire.Encoded
	root    inventory.Root
}

// change is what a machine reports of a section.
type change struct {
	section string
	base    []byte // empty: the section is sent whole
	root    inventory.Root
	added   []wire.Encoded
	removed [][]byte
}

// firstWave returns the wave of a machine at its first inventory.
func firstWave(machine int) int { return rings - machine%rings }

// inventoryOf makes up the first sections of the first inventory of a machine.
func (f *fleet) inventoryOf(machine, sections int) ([]content, error) {
	hardware := f.hardwareOf(machine, f.random(machine))
	var list []content
	for _, section := range wire.Sections()[:sections] {
		if section == f.software {
			list = append(list, f.softwareOf(machine, firstWave(machine)))
			continue
		}
		set, verdicts := section.NewSet(hardware[section.Name])
		if len(verdicts) > 0 {
			return nil, fmt.Errorf("machine %d: %s: %s", machine, section.Name, verdicts[0].Reason)
		}
		list = append(list, content{section: section.Name, items: set.Items(), root: set.Root()})
	}
	return list, nil
}

// softwareOf returns the software of a machine after a number of waves.
func (f *fleet) softwareOf(machine, wave int) content {
	c := content{section: f.software.Name}
	installed := f.imaged.Add(time.Duration(f.random(machine).IntN(1e6)) * time.Minute / 10)
	for _, p := range f.programsOf(machine, wave) {
		c.add(p, installed)
	}
	return c
}

func (c *content) add(p program, installed time.Time) {
	item := p.versions[p.level]
	item.Readings = p.readingsAt(installed)
	c.items = append(c.items, item)
	c.root = item.Hash.AddTo(c.root)
}

// readingsAt returns the readings of a package on a machine that was installed at an instant.
func (t *title) readingsAt(installed time.Time) []byte {
	readings := &inventoryv1.Software{InstallLocation: t.readings.InstallLocation, SizeBytes: t.readings.SizeBytes}
	readings.InstallDate = timestamppb.New(installed.Add(-t.age).Truncate(time.Second))
	encoded, err := proto.MarshalOptions{Deterministic: true}.Marshal(readings)
	if err != nil {
		panic(err) // three valid fields
	}
	return encoded
}

// upgrade returns what a wave changes on a machine whose software has the given root.
func (f *fleet) upgrade(machine, wave int, root inventory.Root, now time.Time) change {
	c := change{section: f.software.Name, base: root[:], root: root}
	for _, p := range f.upgradedPrograms(machine, wave) {
		before, after := p.versions[p.level], p.versions[p.level+1]
		after.Readings = p.readingsAt(now.Add(p.age))
		c.added, c.removed = append(c.added, after), append(c.removed, before.Facts)
		c.root = after.Hash.AddTo(before.Hash.RemoveFrom(c.root))
	}
	return c
}

// model is a hardware model that many machines of the fleet have.
type model struct {
	manufacturer, product, cpu, disk, panel string
	chassis                                 string
	chassisCode                             uint32 // SMBIOS 3.7 §7.4.1
	cores                                   uint32
	diskBytes, moduleBytes                  uint64
}

var models = []model{
	{
		"Contoso", "Notebook 14 G4", "Example Core 5 1340", "EX-PM9A1 512GB", "B140HAN", "Notebook",
		10, 12, 512110190592, 8 << 30,
	},
	{
		"Contoso", "Notebook 16 G5", "Example Core 7 1370", "EX-PM9A1 1TB", "B160UAN", "Notebook",
		10, 14, 1024209543168, 16 << 30,
	},
	{
		"Fabrikam", "Desk 700", "Example Core 5 12500", "FK-SN740 512GB", "U2422", "Desktop",
		3, 6, 512110190592, 8 << 30,
	},
	{
		"Fabrikam", "Desk 900", "Example Core 7 12700", "FK-SN740 1TB", "U2722", "Desktop",
		3, 12, 1024209543168, 16 << 30,
	},
}

func (m model) portable() bool { return m.chassis == "Notebook" }

// hardwareOf returns all sections but the software: one of a few models, and what is unique to each
// machine.
func (f *fleet) hardwareOf(machine int, random *rand.Rand) map[string][]proto.Message {
	m := models[random.IntN(len(models))]
	serial := fmt.Sprintf("%s%07d", m.manufacturer[:2], machine)
	return map[string][]proto.Message{
		"system":            {m.system(serial, random)},
		"firmware":          {m.firmware(random)},
		"cpu":               {m.processor()},
		"memory":            m.memory(random),
		"storage":           {m.storage(random)},
		"volume":            m.volumes(random),
		"network_interface": interfaces(machine, random),
		"display":           {m.display(machine)},
		"os":                {f.system(serial, random)},
		"service":           f.image["service"],
		"user":              {f.user(machine)},
		"pci_device":        m.pci(),
		"gpu":               {m.gpu()},
		"usb_device":        m.usb(random),
		"battery":           m.batteries(random),
		"printer":           printers(random),
		"management":        f.management(serial),
		"patch":             f.patches(),
		"group":             groups(machine),
		"session":           {f.session(machine)},
		"security_posture":  protections(machine),
	}
}

// identifiers returns the hardware identifiers of a check-in.
func identifiers(machine int) []*inventoryv1.Hardware {
	var list []*inventoryv1.Hardware
	for i, family := range []string{"smbios", "board", "mac", "disk"} {
		hash := uint64(machine)<<8 | uint64(i) //nolint:gosec // never negative
		list = append(list, &inventoryv1.Hardware{Family: family, Hash: hash})
	}
	return list
}

func text(random *rand.Rand, length int) string {
	const digits = "0123456789ABCDEFGHJKLMNPQRSTUVWXYZ"
	b := make([]byte, length)
	for i := range b {
		b[i] = digits[random.IntN(len(digits))]
	}
	return string(b)
}

func randomUUID(random *rand.Rand) string {
	a, b := random.Uint64(), random.Uint64()
	return fmt.Sprintf("%08x-%04x-4%03x-a%03x-%012x", a>>32, a>>16&0xffff, a&0xfff, b>>52, b&0xffffffffffff)
}

func mac(random *rand.Rand) string {
	n := random.Uint32()
	return fmt.Sprintf("3c:52:%02x:%02x:%02x:%02x", n>>24, n>>16&0xff, n>>8&0xff, n&0xff)
}

func (m model) system(serial string, random *rand.Rand) *inventoryv1.System {
	return &inventoryv1.System{
		Manufacturer: m.manufacturer, ProductName: m.product, SerialNumber: serial, Uuid: randomUUID(random),
		SkuNumber: "SKU-" + m.disk, Family: m.product, ChassisType: m.chassis,
		ChassisTypeCode: proto.Uint32(m.chassisCode), ChassisManufacturer: m.manufacturer, ChassisSerial: serial,
		BoardManufacturer: m.manufacturer, BoardProduct: m.product, BoardSerial: text(random, 16),
	}
}

func (m model) firmware(random *rand.Rand) *inventoryv1.Firmware {
	return &inventoryv1.Firmware{
		Vendor: m.manufacturer, Version: fmt.Sprintf("1.%d.0", random.IntN(6)), ReleaseDate: "03/14/2025", Mode: "uefi",
		SecureBoot: proto.Bool(true), TpmVersion: "2.0",
	}
}

func (m model) processor() *inventoryv1.Cpu {
	return &inventoryv1.Cpu{
		Socket: proto.Uint32(0), Designation: "U3E1", Manufacturer: "Example", Model: m.cpu,
		Status: "Populated, Enabled", Cores: proto.Uint32(m.cores), Threads: proto.Uint32(2 * m.cores), Arch: "x86_64",
		CurrentMhz: proto.Uint32(2400),
	}
}

// memory returns two modules and two empty slots.
func (m model) memory(random *rand.Rand) []proto.Message {
	var list []proto.Message
	for i := range 4 {
		slot := &inventoryv1.Memory{
			Locator: fmt.Sprintf("DIMM %d", i), Bank: fmt.Sprintf("BANK %d", i), SizeBytes: proto.Uint64(0),
		}
		if i%2 == 0 {
			slot.SizeBytes = proto.Uint64(m.moduleBytes)
			slot.Speed, slot.ConfiguredSpeed = proto.Uint32(5600), proto.Uint32(5200)
			slot.MemoryType, slot.FormFactor, slot.Manufacturer = "DDR5", "SODIMM", "Example"
			slot.PartNumber, slot.SerialNumber = "EXA425S6", text(random, 8)
		}
		list = append(list, slot)
	}
	return list
}

func (m model) storage(random *rand.Rand) *inventoryv1.Storage {
	return &inventoryv1.Storage{
		SerialNumber: text(random, 14), Wwn: "eui." + text(random, 16), Model: m.disk, FirmwareRevision: "GXA7801Q",
		SizeBytes: proto.Uint64(m.diskBytes), MediaType: "ssd", Bus: "nvme", Removable: proto.Bool(false),
		Device: "nvme0n1",
	}
}

func (m model) volumes(random *rand.Rand) []proto.Message {
	volume := func(mount, kind, id string, size uint64) *inventoryv1.Volume {
		return &inventoryv1.Volume{
			MountPoint: mount, Device: "/dev/mapper" + mount, FsType: kind, Uuid: id, TotalBytes: proto.Uint64(size),
			IsSystem: proto.Bool(mount == "/"), FreeBytes: proto.Uint64(random.Uint64N(size)),
		}
	}
	return []proto.Message{
		volume("/", "ext4", randomUUID(random), m.diskBytes-1<<31),
		volume("/boot", "ext4", randomUUID(random), 1<<30),
		volume("/boot/efi", "vfat", text(random, 4)+"-"+text(random, 4), 1<<29),
	}
}

func interfaces(machine int, random *rand.Rand) []proto.Message {
	wired := mac(random)
	wireless := mac(random)
	address := fmt.Sprintf("10.%d.%d.%d/16", machine>>16&0xff, machine>>8&0xff, machine&0xff)
	return []proto.Message{
		&inventoryv1.NetworkInterface{
			Name: "enp0s31f6", Mac: wired, PermanentMac: wired, Type: "ethernet", Mtu: proto.Uint32(1500),
			IsVirtual: proto.Bool(false), Driver: "e1000e", Addresses: []string{address},
			Gateways: []string{"10.0.0.1"}, DnsServers: []string{"10.0.0.2", "10.0.0.3"},
			SpeedMbps: proto.Uint32(1000), Duplex: "full", State: "up",
		},
		&inventoryv1.NetworkInterface{
			Name: "wlp0s20f3", Mac: wireless, PermanentMac: wireless, Type: "wifi", Mtu: proto.Uint32(1500),
			IsVirtual: proto.Bool(false), Driver: "iwlwifi", State: "down",
		},
	}
}

// display returns a notebook's panel or a desktop's monitor with the 128 bytes of EDID (VESA E-EDID
// 1.4 §3), of which the serial number is unique.
func (m model) display(machine int) *inventoryv1.Display {
	const firstSerial = 0x10000000
	serial := uint32(firstSerial + machine) //nolint:gosec // never negative
	edid := make([]byte, 128)
	copy(edid, "\x00\xff\xff\xff\xff\xff\xff\x00\x06\xaf"+m.panel)
	binary.LittleEndian.PutUint32(edid[12:], serial)
	d := &inventoryv1.Display{
		ManufacturerPnp: "AUO", ProductCode: proto.Uint32(0x573d), SerialNumber: proto.Uint32(serial), Model: m.panel,
		Week: proto.Uint32(12), Year: proto.Uint32(2024), NativeResolution: "1920x1200",
		WidthMm: proto.Uint32(301), HeightMm: proto.Uint32(188),
		IsInternal: m.portable(), EdidBase64: base64.StdEncoding.EncodeToString(edid), Connection: "DP-1",
	}
	if m.portable() {
		d.Connection = "eDP-1"
	}
	return d
}

// user returns the owner of the machine: an account of the directory.
func (f *fleet) user(machine int) *inventoryv1.User {
	return &inventoryv1.User{
		Name: fmt.Sprintf("e%06d", machine), Domain: "CONTOSO", FullName: fmt.Sprintf("Employee %d", machine),
		IsPrimary: true,
		LastLogin: timestamppb.New(f.imaged.Add(time.Duration(machine) * time.Second)),
	}
}

// system returns the image's operating system on this machine.
func (f *fleet) system(serial string, random *rand.Rand) *inventoryv1.OperatingSystem {
	os := &inventoryv1.OperatingSystem{Name: "Debian GNU/Linux", Id: "debian", Version: "12", Arch: "x86_64"}
	if items := f.image["os"]; len(items) > 0 {
		os = proto.CloneOf(items[0].(*inventoryv1.OperatingSystem)) //nolint:forcetypeassert // the section's type
	}
	os.Hostname, os.InstallId = "pc-"+serial, fmt.Sprintf("%016x%016x", random.Uint64(), random.Uint64())
	os.BootTime = timestamppb.New(f.imaged.Add(time.Duration(random.IntN(1e6)) * time.Second))
	return os
}
