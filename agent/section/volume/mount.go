package volume

import (
	"path"
	"slices"
	"strings"

	"github.com/musterhq/muster/agent/host"
)

// mount is one line of the mount table (proc_pid_mountinfo(5)).
type mount struct {
	device  string // major:minor; major 0 is not a block device
	root    string // the directory of the file system that is visible at the mount point
	point   string
	fsType  string
	source  string
	options string // of the file system, not of the mount
}

// parseMounts reads the mount table and skips malformed lines.
func parseMounts(table string) []mount {
	mounts := make([]mount, 0, strings.Count(table, "\n"))
	for line := range strings.Lines(table) {
		if m, ok := parseMount(strings.TrimSuffix(line, "\n")); ok {
			mounts = append(mounts, m)
		}
	}
	return mounts
}

// parseMount reads "36 35 98:0 /root /point rw,noatime master:1 - ext3 /dev/root
// rw,errors=continue". Before the hyphen are six fields and any number of optional ones; after it
// are three.
func parseMount(line string) (mount, bool) {
	before, after, found := strings.Cut(line, " - ")
	if !found {
		return mount{}, false
	}
	var m mount
	_, before, _ = strings.Cut(before, " ") // the mount's ID
	_, before, _ = strings.Cut(before, " ") // the parent's ID
	m.device, before, _ = strings.Cut(before, " ")
	m.root, before, _ = strings.Cut(before, " ")
	m.point, _, _ = strings.Cut(before, " ")
	m.fsType, after, _ = strings.Cut(after, " ")
	m.source, m.options, _ = strings.Cut(after, " ")
	m.root, m.point, m.source = unescape(m.root), unescape(m.point), unescape(m.source)
	return m, strings.HasPrefix(m.point, "/") && strings.Contains(m.device, ":") && m.fsType != ""
}

// unescape decodes the kernel's octal escapes for characters that would break the table, such as
// "\040" for a blank.
func unescape(text string) string {
	if !strings.Contains(text, `\`) {
		return text
	}
	var b strings.Builder
	for i := 0; i < len(text); i++ {
		if c, ok := octal(text[i:]); ok {
			b.WriteByte(c)
			i += 3
		} else {
			b.WriteByte(text[i])
		}
	}
	return b.String()
}

func octal(text string) (byte, bool) {
	if len(text) < 4 || text[0] != '\\' {
		return 0, false
	}
	n := 0
	for _, c := range []byte(text[1:4]) {
		if c < '0' || c > '7' {
			return 0, false
		}
		n = n<<3 | int(c-'0')
	}
	return byte(n), n < 256
}

// option returns the value of an option of the file system, or "" if it has none.
func (m mount) option(name string) string {
	for option := range strings.SplitSeq(m.options, ",") {
		if key, value, _ := strings.Cut(option, "="); key == name {
			return value
		}
	}
	return ""
}

func (m mount) hasOption(name string) bool {
	return slices.Contains(strings.Split(m.options, ","), name)
}

// onBlockDevice reports whether the file system is on a block device of its own, and not in the
// kernel, in another file system or on a network.
func (m mount) onBlockDevice() bool { return !strings.HasPrefix(m.device, "0:") }

// kernelName returns the name of the block device, e.g. "dm-0", or "" if there is none or it is
// unknown.
func (m mount) kernelName(h *host.Host) string {
	if m.onBlockDevice() {
		if target, err := h.Readlink("/sys/dev/block/" + m.device); err == nil {
			return path.Base(target)
		}
	}
	if !strings.HasPrefix(m.source, "/dev/") {
		return ""
	}
	if target, err := h.Readlink(m.source); err == nil { // /dev/mapper/root → ../dm-0
		return path.Base(target)
	}
	return path.Base(m.source)
}

// isFile reports whether the mount is a single file, such as a container's /etc/hosts.
func (m mount) isFile(h *host.Host) bool {
	if m.root == "/" || !m.onBlockDevice() {
		return false
	}
	info, err := h.Stat(m.point)
	return err == nil && !info.IsDir()
}
