package ingest

import (
	"fmt"
	"testing"

	"github.com/klauspost/compress/zstd"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/musterhq/muster/internal/inventory"
	"github.com/musterhq/muster/internal/wire"
	inventoryv1 "github.com/musterhq/muster/proto/muster/inventory/v1"
)

// BenchmarkPrepare measures what the collector does with a first inventory before it asks the
// store: decode the chunks, check the roots, find the ids of the known items and read the others.
func BenchmarkPrepare(b *testing.B) {
	chunks := firstInventory(b)
	for _, c := range []struct {
		name  string
		known bool
	}{{"known", true}, {"unknown", false}} {
		b.Run(c.name, func(b *testing.B) {
			decoder, err := NewDecoder()
			if err != nil {
				b.Fatal(err)
			}
			g, err := New(nil, Options{})
			if err != nil {
				b.Fatal(err)
			}
			rememberOthers(g)
			if c.known {
				rememberAll(g, receive(b, decoder, chunks))
			}
			b.ReportAllocs()
			for b.Loop() {
				g.prepare(&job{obs: receive(b, decoder, chunks)})
			}
		})
	}
}

// BenchmarkReceive measures the part of BenchmarkPrepare that needs no cache of items.
func BenchmarkReceive(b *testing.B) {
	chunks := firstInventory(b)
	decoder, err := NewDecoder()
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		receive(b, decoder, chunks)
	}
}

// chunk is one section of an inventory as an agent sends it.
type chunk struct {
	section *wire.Section
	root    inventory.Root
	packed  []byte
}

func receive(b *testing.B, decoder *Decoder, chunks []chunk) *CheckIn {
	b.Helper()
	obs := &CheckIn{Updates: make([]*Update, 0, len(chunks))}
	for _, c := range chunks {
		u := &Update{Section: c.section, Root: c.root}
		if err := decoder.Add(u, c.packed); err != nil {
			b.Fatal(err)
		}
		if err := u.Check(); err != nil {
			b.Fatal(err)
		}
		obs.Updates = append(obs.Updates, u)
	}
	return obs
}

// rememberOthers fills the cache with the items of other machines, so that it does not fit in the
// processor's cache.
func rememberOthers(g *Ingester) {
	for i := range 100_000 {
		g.known.add(encoding{hash: wire.HashOf(fmt.Append(nil, i))}, inventory.Ref{ID: inventory.ItemID(i) + 1})
	}
}

// rememberAll numbers every item of an inventory as the store would.
func rememberAll(g *Ingester, obs *CheckIn) {
	j := &job{obs: obs}
	g.prepare(j)
	next := inventory.ItemID(1 << 20)
	for _, w := range j.sections {
		for i := range w.added {
			next++
			w.added[i].ref.ID = next
		}
		g.known.remember(w.update.Section, w.added)
	}
}

// firstInventory returns the sections of a made-up desktop: 950 programs, 82 services, 22 items of
// hardware.
func firstInventory(b *testing.B) []chunk {
	b.Helper()
	packer, err := zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedFastest))
	if err != nil {
		b.Fatal(err)
	}
	var chunks []chunk
	for _, items := range [][]proto.Message{programs(950), services(82), hardware()} {
		bySection := map[*wire.Section][]proto.Message{}
		for _, item := range items {
			section, err := wire.Of(item)
			if err != nil {
				b.Fatal(err)
			}
			bySection[section] = append(bySection[section], item)
		}
		for section, items := range bySection {
			chunks = append(chunks, packSection(b, packer, section, items))
		}
	}
	return chunks
}

func packSection(b *testing.B, packer *zstd.Encoder, section *wire.Section, items []proto.Message) chunk {
	b.Helper()
	set, verdicts := section.NewSet(items)
	if len(verdicts) > 0 {
		b.Fatal(verdicts)
	}
	sent := &inventoryv1.Items{}
	for _, item := range set.Items() {
		sent.Added = append(sent.Added, &inventoryv1.Item{Facts: item.Facts, Readings: item.Readings})
	}
	raw, err := proto.Marshal(sent)
	if err != nil {
		b.Fatal(err)
	}
	return chunk{section: section, root: set.Root(), packed: packer.EncodeAll(raw, nil)}
}

func programs(n int) []proto.Message {
	items := make([]proto.Message, n)
	for i := range items {
		name, version := fmt.Sprintf("lib%x-package-%d", i*7919, i), fmt.Sprintf("%d.%d.%d-%d", i%20, i%7, i%31, i%4)
		items[i] = &inventoryv1.Software{
			Source: "dpkg", Name: name, Arch: "amd64", Version: version,
			Publisher:   fmt.Sprintf("Debian Group %d <group-%d@lists.debian.org>", i%90, i%90),
			Purl:        fmt.Sprintf("pkg:deb/debian/%s@%s?arch=amd64&distro=bookworm", name, version),
			InstallDate: &timestamppb.Timestamp{Seconds: 1767603600 + int64(i%11)*86400},
			SizeBytes:   proto.Uint64(uint64(i*i) << 10),
		}
	}
	return items
}

func services(n int) []proto.Message {
	items := make([]proto.Message, n)
	for i := range items {
		items[i] = &inventoryv1.Service{
			Name: fmt.Sprintf("service-%d.service", i), DisplayName: fmt.Sprintf("Service number %d of this desktop", i),
			StartType: "enabled", ExePath: fmt.Sprintf("/usr/lib/service-%d/daemon", i), RunAs: "root", State: "running",
		}
	}
	return items
}

func hardware() []proto.Message {
	items := []proto.Message{
		&inventoryv1.System{
			Manufacturer: "LENOVO", ProductName: "21HM0034GE", Version: "ThinkPad X1 Carbon Gen 11", SerialNumber: "PF4XN2K8",
			Uuid: "4c4c4544-0036-5910-8057-b3c04f4d3533", ChassisType: "Notebook", ChassisTypeCode: proto.Uint32(10),
			BoardManufacturer: "LENOVO", BoardProduct: "21HM0034GE", BoardSerial: "L1HF39T00QJ",
		},
		&inventoryv1.Firmware{Vendor: "LENOVO", Version: "N3XET47W (1.22)", ReleaseDate: "06/15/2025", Mode: "uefi"},
		&inventoryv1.Cpu{
			Socket: proto.Uint32(0), Manufacturer: "Intel(R) Corporation", Model: "13th Gen Intel(R) Core(TM) i7-1365U",
			Cores: proto.Uint32(10), Threads: proto.Uint32(12), CurrentMhz: proto.Uint32(1800),
		},
		&inventoryv1.Display{
			ManufacturerPnp: "DEL", ProductCode: proto.Uint32(41_187), SerialText: "7MT0186418CU", Model: "DELL U2720Q",
			NativeResolution: "3840x2160", Connection: "DP-1",
		},
		&inventoryv1.OperatingSystem{
			Name: "Debian GNU/Linux", Id: "debian", Version: "12", Kernel: "6.1.0-28-amd64", Hostname: "desk-1",
			BootTime: &timestamppb.Timestamp{Seconds: 1767603600}, MemoryBytes: proto.Uint64(32 << 30),
		},
	}
	for i := range 8 {
		items = append(items, &inventoryv1.Memory{
			Locator: fmt.Sprintf("DIMM %d", i), MemoryType: "LPDDR5", Manufacturer: "Samsung", SizeBytes: proto.Uint64(4 << 30),
			SerialNumber: fmt.Sprintf("3f5c%04x", i), Speed: proto.Uint32(6400),
		})
	}
	for i := range 3 {
		items = append(items,
			&inventoryv1.Storage{SerialNumber: fmt.Sprintf("S6CNNX0W%d", i), Model: "SAMSUNG MZVL21T0HCLR", Device: "nvme0n1"},
			&inventoryv1.Volume{MountPoint: fmt.Sprintf("/mnt/%d", i), FsType: "ext4", FreeBytes: proto.Uint64(1 << 35)},
			&inventoryv1.NetworkInterface{
				Name: fmt.Sprintf("eth%d", i), Mac: fmt.Sprintf("02:00:00:00:00:%02x", i), Type: "ethernet",
				Addresses: []string{fmt.Sprintf("192.0.2.%d/24", i+1)}, State: "up", SpeedMbps: proto.Uint32(1000),
			})
	}
	return items
}
