package host

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"strconv"

	"golang.org/x/sys/unix"
)

// resident returns how many bytes of memory this process occupies, and how many of them are pages
// of files (proc_pid_statm(5)).
func resident() (total, files uint64, known bool) {
	statm, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		return 0, 0, false
	}
	var size uint64
	if _, err := fmt.Sscan(string(statm), &size, &total, &files); err != nil {
		return 0, 0, false
	}
	page := uint64(os.Getpagesize()) //nolint:gosec // a page size is positive
	return total * page, files * page, true
}

// maxSmaps bounds /proc/self/smaps, in bytes. It has about 50 mappings of 1 kB.
const maxSmaps = 1 << 20

// dropProgram drops the pages of files that are mapped without the right to write, which are those
// of this program. An access reads them again (madvise(2), MADV_DONTNEED). An error only leaves the
// memory in use.
func dropProgram() {
	f, err := os.Open("/proc/self/smaps")
	if err != nil {
		return
	}
	defer func() { _ = f.Close() }()
	smaps, err := io.ReadAll(io.LimitReader(f, maxSmaps))
	if err != nil {
		return
	}
	for _, m := range cleanMappings(smaps) {
		_, _, _ = unix.Syscall(unix.SYS_MADVISE, m.start, m.length, unix.MADV_DONTNEED)
	}
}

// mapping is a range of addresses.
type mapping struct{ start, length uintptr }

// cleanMappings returns the mappings of files in /proc/PID/smaps (proc_pid_smaps(5)) that equal
// their files: they cannot be written, and none of their pages was written before that, as the
// pages that a dynamic linker relocates are.
func cleanMappings(smaps []byte) []mapping {
	var clean []mapping
	var last mapping
	for line := range bytes.Lines(smaps) {
		fields := bytes.Fields(line)
		switch {
		case len(fields) >= 5 && bytes.IndexByte(fields[0], '-') > 0:
			last = readOnlyFile(fields)
		case len(fields) == 3 && string(fields[0]) == "Anonymous:" && string(fields[1]) == "0" && last.length > 0:
			clean = append(clean, last)
		}
	}
	return clean
}

// readOnlyFile returns the mapping that a line with addresses, permissions, offset, device, inode
// and name describes, or no addresses unless it maps a file without the right to write.
func readOnlyFile(fields [][]byte) mapping {
	if len(fields) < 6 || string(fields[1][:2]) != "r-" || fields[5][0] != '/' {
		return mapping{}
	}
	from, to, _ := bytes.Cut(fields[0], []byte("-"))
	first, errFirst := strconv.ParseUint(string(from), 16, 64)
	end, errEnd := strconv.ParseUint(string(to), 16, 64)
	if errFirst != nil || errEnd != nil || end <= first {
		return mapping{}
	}
	return mapping{uintptr(first), uintptr(end - first)}
}
