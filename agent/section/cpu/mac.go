package cpu

import (
	"cmp"
	"math"
	"strings"

	"google.golang.org/protobuf/proto"

	"github.com/musterhq/muster/agent/host"
	"github.com/musterhq/muster/agent/section/profiler"
	inventoryv1 "github.com/musterhq/muster/proto/muster/inventory/v1"
)

// FromProfile returns the processors that a report of system_profiler describes.
func FromProfile(report profiler.Report) ([]proto.Message, error) {
	for n := range report.All("SPHardwareDataType") {
		if item, sockets := fromNode(n); item != nil {
			return profiler.Found(repeat(item, sockets), "a processor")
		}
	}
	return profiler.Found([]*inventoryv1.Cpu(nil), "a processor")
}

// fromNode returns a socket and how many equal ones the Mac has, or nil for a node without
// processors.
func fromNode(n *profiler.Node) (item *inventoryv1.Cpu, sockets uint32) {
	model := n.Text("chip_type", "Chip", "cpu_type", "Processor Name", "CPU Type")
	if model == "" {
		return nil, 0
	}
	item = &inventoryv1.Cpu{
		Manufacturer: maker(model),
		Model:        model,
		MaxMhz:       known(n.MHz("current_processor_speed", "Processor Speed", "CPU Speed")),
	}
	sockets = cmp.Or(n.Count("packages", "Number of Processors", "Number Of Processors", "Number Of CPUs"), 1)
	total := n.Count("number_processors", "Total Number of Cores", "Total Number Of Cores")
	if total%sockets == 0 {
		item.Cores = known(total / sockets)
	}
	return item, sockets
}

// maker returns the manufacturer that a model begins with.
func maker(model string) string {
	for _, name := range []string{"Apple", "Intel", "PowerPC"} {
		if strings.HasPrefix(model, name) {
			return strings.Replace(name, "PowerPC", "", 1)
		}
	}
	return ""
}

// maxSockets bounds the sockets of a Mac; no model has more than two.
const maxSockets = 8

func repeat(item *inventoryv1.Cpu, sockets uint32) []*inventoryv1.Cpu {
	var list []*inventoryv1.Cpu
	for socket := range min(sockets, maxSockets) {
		clone := proto.CloneOf(item)
		clone.Socket = new(socket)
		list = append(list, clone)
	}
	return list
}

func collectMac(h *host.Host) ([]proto.Message, error) {
	kernel, err := h.Kernel()
	sockets, sysctlErr := fromSysctl(h, kernel.Arch)
	if sysctlErr != nil {
		return nil, sysctlErr
	}
	return messages(sockets), err
}

// fromSysctl describes the processors of a Mac.
func fromSysctl(h *host.Host, arch string) ([]*inventoryv1.Cpu, error) {
	model, err := h.SysctlText("machdep.cpu.brand_string")
	if err != nil {
		return nil, err
	}
	number := func(name string) uint32 {
		n, err := h.SysctlNumber(name)
		if err != nil || n > math.MaxUint32 { // not every Mac has all of them
			return 0
		}
		return uint32(n)
	}
	sockets := cmp.Or(number("hw.packages"), 1)
	item := &inventoryv1.Cpu{Manufacturer: maker(model), Model: strings.Join(strings.Fields(model), " "), Arch: arch}
	if vendor, err := h.SysctlText("machdep.cpu.vendor"); err == nil { // as in CPUID; Apple's have none
		item.Manufacturer = vendor
	}
	if cores := number("hw.physicalcpu_max"); cores%sockets == 0 {
		item.Cores = known(cores / sockets)
	}
	if threads := number("hw.logicalcpu_max"); threads%sockets == 0 {
		item.Threads = known(threads / sockets)
	}
	const hertz = 1_000_000
	if frequency, err := h.SysctlNumber("hw.cpufrequency_max"); err == nil && frequency/hertz < math.MaxUint32 {
		item.MaxMhz = known(uint32(frequency / hertz))
	}
	return repeat(item, sockets), nil
}
