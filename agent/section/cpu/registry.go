package cpu

import (
	"encoding/binary"
	"math/bits"
	"strconv"

	"github.com/musterhq/muster/agent/host"
)

// processorKey has a subkey for each processor of Windows. Windows copies it from the firmware and
// the processors when it starts.
const processorKey = `HKLM\HARDWARE\DESCRIPTION\System\CentralProcessor`

// ofWindows returns the processor packages: their number, cores and threads from the topology, the
// rest from the registry. A source that cannot be read leaves its values unknown.
func ofWindows(h *host.Host) []processorPackage {
	root, err := h.RegistryKey(processorKey)
	if err != nil {
		return nil
	}
	topology, _ := h.ProcessorTopology()
	layouts := parseTopology(topology)
	if len(layouts) == 0 && len(root.SubKeys) > 0 { // the registry alone does not tell packages from threads
		layouts = []layout{{}}
	}
	packages := make([]processorPackage, len(layouts))
	for i, l := range layouts {
		packages[i] = processorPackage{cores: l.cores, threads: l.threads}
		if key, err := h.RegistryKey(processorKey + `\` + strconv.FormatUint(uint64(l.first), 10)); err == nil {
			describe(&packages[i], key)
		}
	}
	return packages
}

func describe(p *processorPackage, key host.RegistryKey) {
	p.vendor, p.model = key.Text("VendorIdentifier"), key.Text("ProcessorNameString")
	if mhz, ok := key.Number("~MHz"); ok && mhz < 1<<32 {
		p.currentMHz = uint32(mhz)
	}
	p.microcode = revision(key)
}

// revision returns the revision of the microcode in the form of Linux, "0xf0". Intel's is in the
// upper half of the value, AMD's in the lower.
func revision(key host.RegistryKey) string {
	data := key.Bytes("Update Revision")
	if data == nil { // before Windows 10
		data = key.Bytes("Update Signature")
	}
	if len(data) != 8 {
		return ""
	}
	high, low := binary.LittleEndian.Uint32(data[4:]), binary.LittleEndian.Uint32(data)
	switch {
	case high != 0:
		return "0x" + strconv.FormatUint(uint64(high), 16)
	case low != 0:
		return "0x" + strconv.FormatUint(uint64(low), 16)
	default:
		return ""
	}
}

// Relations of SYSTEM_LOGICAL_PROCESSOR_INFORMATION_EX.
const (
	relationCore    = 0
	relationPackage = 3
)

// affinity is a set of processors in one processor group.
type affinity struct {
	group uint16
	mask  uint64
}

// layout is a processor package.
type layout struct {
	first          uint32 // lowest number of its processors, counted over all groups
	cores, threads uint32
}

// parseTopology reads the structures SYSTEM_LOGICAL_PROCESSOR_INFORMATION_EX of 64-bit Windows.
func parseTopology(data []byte) []layout {
	var packages, cores [][]affinity
	for len(data) >= 8 {
		relation, size := binary.LittleEndian.Uint32(data), binary.LittleEndian.Uint32(data[4:])
		if size < 8 || int64(size) > int64(len(data)) {
			break
		}
		switch relation {
		case relationCore:
			cores = append(cores, affinities(data[8:size]))
		case relationPackage:
			packages = append(packages, affinities(data[8:size]))
		}
		data = data[size:]
	}
	list := make([]layout, len(packages))
	for i, masks := range packages {
		list[i].first = lowest(masks, packages)
		for _, m := range masks {
			list[i].threads += ones(m.mask)
		}
		for _, core := range cores {
			if overlap(masks, core) {
				list[i].cores++
			}
		}
	}
	return list
}

// lowest returns the number of processors before the first one of the masks.
func lowest(masks []affinity, packages [][]affinity) uint32 {
	var start affinity
	for i, m := range masks {
		if i == 0 || m.group < start.group {
			start = m
		}
	}
	below := start.mask&-start.mask - 1
	var count uint32
	for _, all := range packages {
		for _, m := range all {
			switch {
			case m.group < start.group:
				count += ones(m.mask)
			case m.group == start.group:
				count += ones(m.mask & below)
			}
		}
	}
	return count
}

func ones(mask uint64) uint32 { return uint32(bits.OnesCount64(mask)) } //nolint:gosec // at most 64

// affinities reads the masks of a PROCESSOR_RELATIONSHIP.
func affinities(data []byte) []affinity {
	const header, entry = 24, 16
	if len(data) < header {
		return nil
	}
	count := binary.LittleEndian.Uint16(data[22:])
	var masks []affinity
	for rest := data[header:]; count > 0 && len(rest) >= entry; count, rest = count-1, rest[entry:] {
		masks = append(masks, affinity{binary.LittleEndian.Uint16(rest[8:]), binary.LittleEndian.Uint64(rest)})
	}
	return masks
}

func overlap(a, b []affinity) bool {
	for _, x := range a {
		for _, y := range b {
			if x.group == y.group && x.mask&y.mask != 0 {
				return true
			}
		}
	}
	return false
}
