package volume

import (
	"path"
	"strconv"
	"strings"

	"github.com/musterhq/muster/agent/host"
)

// maxUdev bounds the file of one device in udev's database, in bytes; a typical one has 1 or 2 KiB.
const maxUdev = 64 << 10

// names returns a file system's label and UUID, from udev's database or from the links that udev
// makes.
func names(h *host.Host, kernelName string) (label, uuid string) {
	if number := h.Attribute("/sys/class/block/" + kernelName + "/dev"); number != "" {
		if data, err := h.ReadFile("/run/udev/data/b"+number, maxUdev); err == nil {
			label, uuid = parseUdev(string(data))
		}
	}
	if uuid == "" {
		uuid = linkTo(h, "/dev/disk/by-uuid", kernelName)
	}
	if label == "" {
		label = linkTo(h, "/dev/disk/by-label", kernelName)
	}
	return hexUnescape(label), uuid
}

func parseUdev(text string) (label, uuid string) {
	for line := range strings.Lines(text) {
		line = strings.TrimSuffix(line, "\n")
		if value, found := strings.CutPrefix(line, "E:ID_FS_UUID="); found {
			uuid = value
		}
		if value, found := strings.CutPrefix(line, "E:ID_FS_LABEL_ENC="); found {
			label = value
		}
	}
	return label, uuid
}

// linkTo returns the name of the link in a directory that points to the device.
func linkTo(h *host.Host, directory, kernelName string) string {
	entries, err := h.ReadDir(directory)
	if err != nil {
		return ""
	}
	for _, entry := range entries {
		target, err := h.Readlink(directory + "/" + entry.Name())
		if err == nil && path.Base(target) == kernelName {
			return entry.Name()
		}
	}
	return ""
}

// hexUnescape decodes udev's escapes such as "\x20".
func hexUnescape(text string) string {
	parts := strings.Split(text, `\x`)
	var b strings.Builder
	b.WriteString(parts[0])
	for _, part := range parts[1:] {
		if c, ok := hexByte(part); ok {
			b.WriteByte(c)
			b.WriteString(part[2:])
		} else {
			b.WriteString(`\x` + part)
		}
	}
	return b.String()
}

func hexByte(text string) (c byte, ok bool) {
	if len(text) < 2 {
		return 0, false
	}
	n, err := strconv.ParseUint(text[:2], 16, 8)
	return byte(n), err == nil
}
