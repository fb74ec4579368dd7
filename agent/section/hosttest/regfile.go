package hosttest

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"os"
	"strconv"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/musterhq/muster/agent/host"
)

// RegFiles returns a registry with the keys of registry exports in UTF-16, format version 5.
func RegFiles(t testing.TB, files ...string) *host.RegistryTree {
	t.Helper()
	tree := host.NewRegistryTree()
	for _, file := range files {
		data, err := os.ReadFile(file) //nolint:gosec // a recorded file
		if err != nil {
			t.Fatal(err)
		}
		units := make([]uint16, len(data)/2)
		if err := binary.Read(bytes.NewReader(data), binary.LittleEndian, units); err != nil {
			t.Fatal(err)
		}
		text := strings.ReplaceAll(string(utf16.Decode(units)), "\r\n", "\n")
		roots := strings.NewReplacer("HKEY_LOCAL_MACHINE", "HKLM", "HKEY_USERS", "HKU")
		path := ""
		for line := range strings.Lines(strings.ReplaceAll(text, "\\\n ", "")) {
			line = strings.TrimSpace(line)
			if key, found := strings.CutPrefix(line, "["); found {
				path = roots.Replace(strings.TrimSuffix(key, "]"))
				tree.Add(path, nil)
				continue
			}
			name, value, found := strings.Cut(line, "=")
			if found && path != "" {
				name = unquote(strings.TrimPrefix(name, "@"))
				tree.Add(path, map[string]host.RegistryValue{name: regValue(t, value)})
			}
		}
	}
	return tree
}

func unquote(text string) string {
	text = strings.TrimSuffix(strings.TrimPrefix(text, `"`), `"`)
	return strings.NewReplacer(`\\`, `\`, `\"`, `"`).Replace(text)
}

func regValue(t testing.TB, text string) host.RegistryValue {
	t.Helper()
	kind, value, typed := strings.Cut(text, ":")
	if strings.HasPrefix(text, `"`) || !typed {
		return host.TextValue(unquote(text))
	}
	if kind == "dword" {
		n, err := strconv.ParseUint(value, 16, 32)
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		return host.DWordValue(uint32(n))
	}
	data, err := hex.DecodeString(strings.NewReplacer(",", "", " ", "").Replace(value))
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	number := uint64(host.RegBinary)
	if inner, found := strings.CutPrefix(kind, "hex("); found {
		if number, err = strconv.ParseUint(strings.TrimSuffix(inner, ")"), 16, 32); err != nil {
			t.Fatalf("%s: %v", text, err)
		}
	}
	return host.RegistryValue{Type: uint32(number), Data: data}
}
