package profiler

import (
	"strconv"
	"strings"
)

// units are the factors to bytes and MHz. system_profiler prints binary multiples of memory and
// decimal ones of disks; sizes of disks are also there in bytes.
var units = map[string]float64{
	"MHz": 1, "GHz": 1000, "kB": 1 << 10, "KB": 1 << 10, "MB": 1 << 20, "GB": 1 << 30, "TB": 1 << 40,
}

// quantity reads "2,26 GHz" or "8 GB". The decimal separator is that of the user's region.
func quantity(text string) (float64, bool) {
	digits, unit, _ := strings.Cut(strings.TrimSpace(text), " ")
	factor, ok := units[strings.TrimSpace(unit)]
	n, err := strconv.ParseFloat(strings.Replace(digits, ",", ".", 1), 64)
	const maxDigits = 1e6 // larger numbers are not in use with a unit
	return n * factor, ok && err == nil && n > 0 && n < maxDigits
}

// MHz returns the frequency that a field has, or 0.
func (n *Node) MHz(names ...string) uint32 {
	if mhz, ok := quantity(n.Text(names...)); ok {
		return uint32(mhz + 1.0/2)
	}
	return 0
}

// MemoryBytes returns the size of memory that a field has, or 0.
func (n *Node) MemoryBytes(names ...string) uint64 {
	if size, ok := quantity(n.Text(names...)); ok {
		return uint64(size)
	}
	return 0
}

// Count returns the first number in a field, or 0: 10 for "proc 10:8:2" and for "10 (8 performance
// and 2 efficiency)".
func (n *Node) Count(names ...string) uint32 {
	text := strings.TrimPrefix(n.Text(names...), "proc ")
	end := 0
	for end < len(text) && '0' <= text[end] && text[end] <= '9' {
		end++
	}
	count, err := strconv.ParseUint(text[:end], 10, 16)
	if err != nil {
		return 0
	}
	return uint32(count)
}
