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

// settings returns the server's settings for a database that shares the machine with the collector.
// memory is the machine's memory in bytes.
func settings(memory int64) map[string]string {
	return map[string]string{
		"shared_buffers":       megabytes(memory/4, 128*mebibyte, gibibyte),
		"effective_cache_size": megabytes(memory/2, 256*mebibyte, math.MaxInt64),
		"maintenance_work_mem": megabytes(memory/16, 64*mebibyte, 512*mebibyte),
		"work_mem":             megabytes(memory/256, 4*mebibyte, 32*mebibyte),
		// The first change of a page after a checkpoint writes the whole page to the WAL, so
		// checkpoints should be rare.
		"checkpoint_timeout": "15min",
		"max_wal_size":       "2GB",
		// The statements are short; compiling one takes longer than running it.
		"jit":             "off",
		"timezone":        "UTC",
		"log_timezone":    "UTC",
		"log_line_prefix": "%m [%p] ",
	}
}

// megabytes returns n bytes, limited to the bounds, in the notation of the server's settings.
func megabytes(n, low, high int64) string {
	return strconv.FormatInt(min(max(n, low), high)/mebibyte, 10) + "MB"
}

// flags returns the settings as arguments of the server, sorted by name.
func flags(settings map[string]string) []string {
	args := make([]string, 0, 2*len(settings))
	for _, name := range slices.Sorted(maps.Keys(settings)) {
		args = append(args, "-c", name+"="+settings[name])
	}
	return args
}

// totalMemory returns the machine's memory or the limit of the control group, in bytes; 0 if
// unknown.
func totalMemory() int64 {
	machine := meminfoTotal("/proc/meminfo")
	if group := readInt("/sys/fs/cgroup/memory.max"); group > 0 {
		return min(machine, group)
	}
	return machine
}

// meminfoTotal reads MemTotal of proc_meminfo(5). Its unit "kB" means kibibytes.
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

// readInt reads a file with one number. It returns 0 if the file has other content, such as "max".
func readInt(name string) int64 {
	text, err := os.ReadFile(name) //nolint:gosec // a constant outside of tests
	if err != nil {
		return 0
	}
	n, _ := strconv.ParseInt(strings.TrimSpace(string(text)), 10, 64)
	return n
}
