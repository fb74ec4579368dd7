package hosttest

import (
	"encoding/hex"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

var (
	registryObject   = regexp.MustCompile(`^[ |]*\+-o .*<class (\w+),`)
	registryProperty = regexp.MustCompile(`^[ |]*"([^"]+)" = (.*)$`)
)

// IORegistry returns the properties of the objects of a class in a text of ioreg, with the types
// that a property list has. The agent asks for a property list.
func IORegistry(t testing.TB, file, class string) []map[string]any {
	t.Helper()
	text, err := os.ReadFile(file) //nolint:gosec // a recorded file
	if err != nil {
		t.Fatal(err)
	}
	var objects []map[string]any
	wanted := false
	for line := range strings.Lines(string(text)) {
		line = strings.TrimRight(line, "\r\n")
		if m := registryObject.FindStringSubmatch(line); m != nil {
			if wanted = m[1] == class; wanted {
				objects = append(objects, map[string]any{})
			}
		} else if m := registryProperty.FindStringSubmatch(line); m != nil && wanted {
			objects[len(objects)-1][m[1]] = registryValue(m[2])
		}
	}
	return objects
}

// registryValue leaves lists and groups as text.
func registryValue(text string) any {
	if inner, found := strings.CutPrefix(text, `<"`); found {
		return []byte(strings.TrimSuffix(inner, `">`) + "\x00")
	}
	if inner, found := strings.CutPrefix(text, "<"); found {
		if data, err := hex.DecodeString(strings.TrimSuffix(inner, ">")); err == nil {
			return data
		}
	}
	if n, err := strconv.ParseUint(text, 10, 64); err == nil {
		return n
	}
	if text == "Yes" || text == "No" {
		return text == "Yes"
	}
	return strings.Trim(text, `"`)
}
