package memory

import (
	"strconv"
	"strings"

	"google.golang.org/protobuf/proto"

	"github.com/musterhq/muster/agent/host"
	inventoryv1 "github.com/musterhq/muster/proto/muster/inventory/v1"
)

const memoryBlocks = "/sys/devices/system/memory"

// maxMeminfo bounds /proc/meminfo, in bytes; a typical one has 1,500.
const maxMeminfo = 64 << 10

// total returns one item of all memory, or nil if its size is not known either. It does not use
// ghw's package memory, which reads the whole system log where the kernel lists no blocks.
func total(h *host.Host) *inventoryv1.Memory {
	size := blocks(h)
	if h.IsWindows() {
		p, err := h.Platform()
		if err != nil && p.MemoryBytes == 0 {
			return nil
		}
		size = p.MemoryBytes
	}
	if size == 0 {
		text, err := h.ReadFile("/proc/meminfo", maxMeminfo)
		if err != nil {
			return nil
		}
		size = usable(string(text))
	}
	if size == 0 {
		return nil
	}
	return &inventoryv1.Memory{SizeBytes: proto.Uint64(size), IsTotal: true}
}

// blocks adds up the memory blocks that the kernel manages (Linux, ABI/testing/sysfs-devices-memory
// and admin-guide/mm/memory-hotplug). It returns 0 if the architecture has none.
func blocks(h *host.Host) uint64 {
	size, err := strconv.ParseUint(h.Attribute(memoryBlocks+"/block_size_bytes"), 16, 64)
	if err != nil {
		return 0
	}
	entries, err := h.ReadDir(memoryBlocks)
	if err != nil {
		return 0
	}
	var sum uint64
	for _, entry := range entries {
		number, found := strings.CutPrefix(entry.Name(), "memory")
		if _, err := strconv.ParseUint(number, 10, 32); found && err == nil {
			sum += size
		}
	}
	return sum
}

// usable finds the line "MemTotal:  1888980 kB" and returns its value in bytes.
func usable(text string) uint64 {
	for line := range strings.Lines(text) {
		value, found := strings.CutPrefix(line, "MemTotal:")
		if !found {
			continue
		}
		n, err := strconv.ParseUint(strings.TrimSuffix(strings.TrimSpace(value), " kB"), 10, 54)
		if err != nil {
			return 0
		}
		return n * 1024
	}
	return 0
}
