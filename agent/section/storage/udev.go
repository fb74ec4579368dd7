package storage

import (
	"strconv"
	"strings"
)

// maxUdev bounds the file of one device in udev's database, in bytes; a typical one has 1 or 2 KiB.
const maxUdev = 64 << 10

// udevProperties reads the disk's file in udev's database, which is named after its device number.
func (s source) udevProperties() map[string]string {
	number := s.attribute("dev")
	if number == "" {
		return nil
	}
	data, err := s.host.ReadFile("/run/udev/data/b"+number, maxUdev)
	if err != nil {
		return nil
	}
	return parseUdev(string(data))
}

// parseUdev reads the lines "E:NAME=value".
func parseUdev(text string) map[string]string {
	properties := map[string]string{}
	for line := range strings.Lines(text) {
		line, found := strings.CutPrefix(line, "E:")
		if !found {
			continue
		}
		name, value, _ := strings.Cut(strings.TrimRight(line, "\n"), "=")
		properties[name] = value
	}
	return properties
}

// unescape decodes udev's escapes such as "\x20" and trims blanks.
func unescape(text string) string {
	if !strings.Contains(text, `\x`) {
		return strings.TrimSpace(text)
	}
	var b strings.Builder
	for i := 0; i < len(text); i++ {
		if c, ok := hexEscape(text[i:]); ok {
			b.WriteByte(c)
			i += 3
		} else {
			b.WriteByte(text[i])
		}
	}
	return strings.TrimSpace(b.String())
}

func hexEscape(text string) (byte, bool) {
	if len(text) < 4 || text[:2] != `\x` {
		return 0, false
	}
	n, err := strconv.ParseUint(text[2:4], 16, 8)
	return byte(n), err == nil
}
