package storage

import (
	"strconv"
	"strings"
)

// maxUdev bounds the file of one device in udev's database, usually of one or two KiB.
const maxUdev = 64 << 10

// udevProperties reads what udev has noted of the disk, from the file named after its device number.
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

// parseUdev reads the lines "E:NAME=value"; the others are not about properties.
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

// unescape reads udev's "\x20" for a blank and the like, and drops the blanks around the text.
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
