package host

import (
	"errors"
	"io/fs"
	"testing"
)

// closed is a registry in which one key may not be read.
type closed struct {
	*RegistryTree
	path string
}

func (c closed) Key(path string) (RegistryKey, error) {
	if path == c.path {
		return RegistryKey{}, fs.ErrPermission
	}
	return c.RegistryTree.Key(path)
}

func TestRegisteredMonitors(t *testing.T) {
	t.Parallel()
	tree := NewRegistryTree()
	tree.Add(DeviceKey+`DISPLAY\DEL4321\5&1&0&UID1\Device Parameters`, map[string]RegistryValue{"EDID": {Type: RegBinary, Data: []byte{0, 255}}})
	h := (&Host{root: t.TempDir()}).WithRegistry(closed{tree, DeviceKey + `DISPLAY\X\3\Device Parameters`})
	list, err := h.registeredMonitors([]string{`DISPLAY\Default_Monitor\5&1&0&UID2`, `DISPLAY\DEL4321\5&1&0&UID1`, `DISPLAY\X\3`})
	if !errors.Is(err, fs.ErrPermission) {
		t.Errorf("error %v, want fs.ErrPermission", err)
	}
	if len(list) != 2 || list[0].Name != "5&1&0&UID1" || len(list[0].EDID) != 2 || len(list[1].EDID) != 0 {
		t.Errorf("got %v", list)
	}
}
