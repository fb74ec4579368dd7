package cpu

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/testing/protocmp"

	"github.com/musterhq/muster/agent/host"
	"github.com/musterhq/muster/agent/section/smbios"
	inventoryv1 "github.com/musterhq/muster/proto/muster/inventory/v1"
)

func tree(t *testing.T, files map[string]string) *host.Host {
	t.Helper()
	root := t.TempDir()
	for name, text := range files {
		file := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	h, err := host.Tree(root)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// twoSockets is /proc/cpuinfo of a machine with two processors of two cores.
const twoSockets = `processor	: 0
vendor_id	: GenuineIntel
model name	: Intel(R) Xeon(R) E5
microcode	: 0x42e
cpu MHz		: 1800.500
physical id	: 0
siblings	: 2
core id		: 0
cpu cores	: 2

processor	: 1
vendor_id	: GenuineIntel
physical id	: 0
core id		: 1

processor	: 2
vendor_id	: GenuineIntel
model name	: Intel(R) Xeon(R) E5
microcode	: 0x42d
physical id	: 1
siblings	: 2
core id		: 0
cpu cores	: 2
`

const (
	freq   = "sys/devices/system/cpu/cpu0/cpufreq/cpuinfo_max_freq"
	cpuSys = "sys/devices/system/cpu/cpu"
	arm    = "processor\t: 0\nCPU implementer\t: 0x41\n\nprocessor\t: 1\nCPU implementer\t: 0x41\n"
	s390   = "vendor_id       : IBM/S390\nfacilities      : 0 1 2\nprocessor 0: version = 00\n\ncpu number      : 0\n" +
		"physical id     : 2\ncore id         : 0\nsiblings        : 8\ncpu cores       : 4\n"
	endOfDMI = "\x7f\x04\x7f\x00\x00\x00"
)

func TestKernelAlone(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name  string
		files map[string]string
		want  []proto.Message
	}{
		{"two sockets", map[string]string{"proc/cpuinfo": twoSockets, freq: "2600000\n"}, []proto.Message{
			&inventoryv1.Cpu{
				Socket: new(uint32(0)), Manufacturer: "GenuineIntel", Model: "Intel(R) Xeon(R) E5", Microcode: "0x42e",
				Cores: new(uint32(2)), Threads: new(uint32(2)), MaxMhz: new(uint32(2600)), CurrentMhz: new(uint32(1800)),
			},
			&inventoryv1.Cpu{
				Socket: new(uint32(1)), Manufacturer: "GenuineIntel", Model: "Intel(R) Xeon(R) E5", Microcode: "0x42d",
				Cores: new(uint32(2)), Threads: new(uint32(2)),
			},
		}},
		{"ARM", map[string]string{
			"proc/cpuinfo": arm, cpuSys + "0/topology/core_id": "0\n", cpuSys + "1/topology/core_id": "1\n",
			cpuSys + "0/topology/physical_package_id": "-1\n", cpuSys + "1/topology/physical_package_id": "-1\n",
		}, []proto.Message{
			&inventoryv1.Cpu{Socket: new(uint32(0)), Cores: new(uint32(2)), Threads: new(uint32(2))},
		}},
		{"S/390", map[string]string{"proc/cpuinfo": s390}, []proto.Message{
			&inventoryv1.Cpu{Socket: new(uint32(0)), Manufacturer: "IBM/S390", Cores: new(uint32(4)), Threads: new(uint32(8))},
		}},
	} {
		items, err := collect(t.Context(), tree(t, c.files))
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
		if diff := cmp.Diff(c.want, items, protocmp.Transform()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.name, diff)
		}
	}
}

// socket makes a type 4 structure of SMBIOS 2.3, which has neither cores nor threads.
func socket(handle, status byte, designation string) string {
	s := make([]byte, 0x23)
	copy(s, []byte{4, 0x23, handle, 4, 1, 3, 0xB3})
	s[0x18] = status
	return string(s) + designation + "\x00\x00"
}

// TestTableAndKernel: the table lists the sockets, the kernel adds what an old table lacks.
func TestTableAndKernel(t *testing.T) {
	t.Parallel()
	table := socket(0, 0x41, "CPU1") + socket(1, 0x00, "CPU2") + socket(2, 0x44, "CPU3") + endOfDMI
	items, err := collect(t.Context(), tree(t, map[string]string{"sys/firmware/dmi/tables/DMI": table, "proc/cpuinfo": twoSockets}))
	if err != nil {
		t.Fatal(err)
	}
	const noID = "00 00 00 00 00 00 00 00"
	filled := func(n uint32, designation, status, microcode string) *inventoryv1.Cpu {
		return &inventoryv1.Cpu{
			Socket: &n, Designation: designation, Status: status, Family: "Xeon", ProcessorId: noID,
			Model: "Intel(R) Xeon(R) E5", Cores: new(uint32(2)), Threads: new(uint32(2)), Microcode: microcode,
		}
	}
	want := []proto.Message{
		filled(0, "CPU1", "Populated, Enabled", "0x42e"),
		&inventoryv1.Cpu{Socket: new(uint32(1)), Designation: "CPU2", Status: "Unpopulated", Family: "Xeon", ProcessorId: noID},
		filled(2, "CPU3", "Populated, Idle", "0x42d"),
	}
	if diff := cmp.Diff(want, items, protocmp.Transform()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestUncertainSockets: if the number of packages differs from that of filled sockets, they cannot
// be matched.
func TestUncertainSockets(t *testing.T) {
	t.Parallel()
	files := map[string]string{"sys/firmware/dmi/tables/DMI": socket(0, 0x41, "CPU1") + endOfDMI, "proc/cpuinfo": twoSockets}
	items, err := collect(t.Context(), tree(t, files))
	if err != nil || len(items) != 1 {
		t.Fatalf("%d items, %v", len(items), err)
	}
	if cpu, ok := items[0].(*inventoryv1.Cpu); !ok || cpu.Cores != nil || cpu.GetMicrocode() != "" {
		t.Errorf("got %v, want neither cores nor microcode", cpu)
	}
}

func TestNothing(t *testing.T) {
	t.Parallel()
	for _, files := range []map[string]string{nil, {"proc/cpuinfo": "unknown: 1\n"}} {
		if items, err := collect(t.Context(), tree(t, files)); !errors.Is(err, host.ErrUnsupported) || len(items) > 0 {
			t.Errorf("%d items, error %v, want %v", len(items), err, host.ErrUnsupported)
		}
	}
	if _, err := FromTable(&smbios.Table{}, nil); !errors.Is(err, host.ErrUnsupported) {
		t.Errorf("empty table: %v", err)
	}
}
