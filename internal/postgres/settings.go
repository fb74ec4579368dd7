package postgres

import (
	"bufio"
	"maps"
	"math"
	"os"
	"slices"
	"strconv"
	"strings"
)

const (
	mebibyte = 1 << 20
	gibibyte = 1 << 30
)

// settings are the server's settings on a machine with so many bytes of memory, for a database that shares the
// machine with the collector.
func settings(memory int64) map[string]string {
	return map[string]string{
		"shared_buffers":       megabytes(memory/4, 128*mebibyte, gibibyte),
		"effective_cache_size": megabytes(memory/2, 256*mebibyte, math.MaxInt64),
		"maintenance_work_mem": megabytes(memory/16, 64*mebibyte, 512*mebibyte),
		"work_mem":             megabytes(memory/256, 4*mebibyte, 32*mebibyte),
		// A page goes into the WAL whole at its first change after a checkpoint: the fewer, the better.
		"checkpoint_timeout": "15min",
		"max_wal_size":       "2GB",
		// Our statements are short; compiling one costs more than running it.
		"jit":             "off",
		"timezone":        "UTC",
		"log_timezone":    "UTC",
		"log_line_prefix": "%m [%p] ",
	}
}

// megabytes gives n bytes, within bounds, in the notation of the server's settings.
func megabytes(n, low, high int64) string {
	return strconv.FormatInt(min(max(n, low), high)/mebibyte, 10) + "MB"
}

// flags gives settings as arguments of the server, in the order of their names.
func flags(settings map[string]string) []string {
	args := make([]string, 0, 2*len(settings))
	for _, name := range slices.Sorted(maps.Keys(settings)) {
		args = append(args, "-c", name+"="+settings[name])
	}
	return args
}

// totalMemory is the machine's memory, or what its control group leaves us, in bytes; 0 where it is not known.
func totalMemory() int64 {
	machine := meminfoTotal("/proc/meminfo")
	if group := readInt("/sys/fs/cgroup/memory.max"); group > 0 {
		return min(machine, group)
	}
	return machine
}

// meminfoTotal reads MemTotal of proc_meminfo(5), which is in kibibytes whatever it says.
func meminfoTotal(name string) int64 {
	f, err := os.Open(name) //nolint:gosec // a constant outside of tests
	if err != nil {
		return 0
	}
	defer func() { _ = f.Close() }()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		if rest, ok := strings.CutPrefix(lines.Text(), "MemTotal:"); ok {
			kibibytes, _ := strconv.ParseInt(strings.TrimSpace(strings.TrimSuffix(rest, "kB")), 10, 64)
			return kibibytes * 1024
		}
	}
	return 0
}

// readInt reads a file that holds one number; 0 where it holds something else, such as "max".
func readInt(name string) int64 {
	text, err := os.ReadFile(name) //nolint:gosec // a constant outside of tests
	if err != nil {
		return 0
	}
	n, _ := strconv.ParseInt(strings.TrimSpace(string(text)), 10, 64)
	return n
}
