// Package registry reads registry exports of Windows (.reg files). It returns keys and values as
// the registry has them and does not know what they mean. Start reading at Parse.
package registry

import (
	"encoding/binary"
	"strings"
	"unicode/utf16"

	"github.com/musterhq/muster/agent/host"
)

// Key is a key with its own values. Its subkeys are keys of their own.
type Key struct {
	Path   string // as for host.Registry, e.g. `HKLM\SOFTWARE\Microsoft`
	Values []Value
}

// Value is a value of a key.
type Value struct {
	host.RegistryValue

	Name string // empty: the default value
}

// shortRoots has the names that host.Registry uses. Other roots keep theirs.
var shortRoots = strings.NewReplacer("HKEY_LOCAL_MACHINE", "HKLM", "HKEY_USERS", "HKU")

// maxDepth bounds the number of keys in a path, as Windows does (Microsoft, "Registry Element Size
// Limits").
const maxDepth = 512

// Tree returns a registry with the keys and all keys above them.
func Tree(keys []Key) *host.RegistryTree {
	tree := host.NewRegistryTree()
	for _, k := range keys {
		values := make(map[string]host.RegistryValue, len(k.Values))
		for _, v := range k.Values {
			values[v.Name] = v.RegistryValue
		}
		tree.Add(k.Path, values)
	}
	return tree
}

func encodeUTF16(text string) []byte {
	units := utf16.Encode([]rune(text))
	data := make([]byte, 0, 2*len(units))
	for _, unit := range units {
		data = binary.LittleEndian.AppendUint16(data, unit)
	}
	return data
}
