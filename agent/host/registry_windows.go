package host

import (
	"errors"
	"fmt"
	"strings"

	"golang.org/x/sys/windows/registry"
)

// maxRegistryValue bounds a value, in bytes. Longer values are left out, because none that is used
// is longer.
const maxRegistryValue = 1 << 20

var registryRoots = map[string]registry.Key{"HKLM": registry.LOCAL_MACHINE, "HKU": registry.USERS}

func registryKey(path string) (RegistryKey, error) {
	rootName, rest, _ := strings.Cut(path, `\`)
	root, known := registryRoots[strings.ToUpper(rootName)]
	if !known {
		return RegistryKey{}, fmt.Errorf("registry key %s: unknown root", path)
	}
	key, err := registry.OpenKey(root, rest, wholeView)
	if err != nil {
		return RegistryKey{}, fmt.Errorf("open registry key %s: %w", path, err)
	}
	defer func() { _ = key.Close() }()
	found, err := readRegistryKey(key)
	if err != nil {
		return found, fmt.Errorf("read registry key %s: %w", path, err)
	}
	return found, nil
}

func readRegistryKey(key registry.Key) (RegistryKey, error) {
	found := RegistryKey{Values: map[string]RegistryValue{}}
	info, err := key.Stat()
	if err != nil {
		return found, err
	}
	found.Changed = info.ModTime()
	if found.SubKeys, err = key.ReadSubKeyNames(-1); err != nil {
		return found, err
	}
	names, err := key.ReadValueNames(-1)
	if err != nil {
		return found, err
	}
	buf := make([]byte, min(max(info.MaxValueLen, 256), maxRegistryValue))
	for _, name := range names {
		n, kind, err := key.GetValue(name, buf)
		if errors.Is(err, registry.ErrShortBuffer) && n <= maxRegistryValue { // it has grown meanwhile
			buf = make([]byte, n)
			n, kind, err = key.GetValue(name, buf)
		}
		if errors.Is(err, registry.ErrNotExist) || errors.Is(err, registry.ErrShortBuffer) {
			continue
		}
		if err != nil {
			return found, err
		}
		found.Values[strings.ToLower(name)] = RegistryValue{Type: kind, Data: append([]byte(nil), buf[:n]...)}
	}
	return found, nil
}
