package software

import (
	"fmt"
	"strings"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/musterhq/muster/agent/host"
	"github.com/musterhq/muster/agent/section/registry"
	inventoryv1 "github.com/musterhq/muster/proto/muster/inventory/v1"
)

// FromUninstall returns the programs that Uninstall keys of a registry export describe.
func FromUninstall(keys []registry.Key) ([]proto.Message, error) {
	var items []proto.Message
	found := false
	for i := range keys {
		hive, name, ok := uninstallKey(keys[i].Path)
		found = found || ok
		if !ok || name == "" {
			continue
		}
		if item := uninstallItem(&keys[i], hive); item != nil {
			items = append(items, item)
		}
	}
	if !found {
		return nil, fmt.Errorf("the export has no Uninstall key: %w", host.ErrUnsupported)
	}
	return items, nil
}

// uninstallPath is the part of an Uninstall key's path that all of them have, in lower case.
const uninstallPath = `\microsoft\windows\currentversion\uninstall`

// uninstallKey splits the path of a program's key. name is empty for the key above the programs.
func uninstallKey(path string) (hive, name string, ok bool) {
	at := strings.Index(strings.ToLower(path), uninstallPath)
	if at < 0 {
		return "", "", false
	}
	rest := path[at+len(uninstallPath):]
	name, ok = strings.CutPrefix(rest, `\`)
	if strings.Contains(name, `\`) || !ok && rest != "" { // a key below a program's
		return "", "", false
	}
	return path[:at], name, true
}

func uninstallItem(key *registry.Key, hive string) *inventoryv1.Software {
	name := strings.TrimSpace(key.Text("DisplayName"))
	hidden, _ := key.Integer("SystemComponent")
	if name == "" || hidden == 1 || key.Text("ParentKeyName") != "" { // parts and updates of other programs
		return nil
	}
	item := &inventoryv1.Software{
		Source:          "registry",
		Name:            name,
		Version:         strings.TrimSpace(key.Text("DisplayVersion")),
		Publisher:       strings.TrimSpace(key.Text("Publisher")),
		InstallLocation: strings.TrimSpace(key.Text("InstallLocation")),
	}
	if installer, _ := key.Integer("WindowsInstaller"); installer == 1 {
		item.Source = "msi"
	}
	if !strings.HasPrefix(strings.ToUpper(hive), "HKEY_LOCAL_MACHINE") {
		item.Scope = "user"
	}
	if strings.HasSuffix(strings.ToLower(hive), `\wow6432node`) {
		item.Arch = "x86"
	}
	if date, err := time.Parse("20060102", strings.TrimSpace(key.Text("InstallDate"))); err == nil {
		item.InstallDate = timestamppb.New(date)
	}
	const kib = 1024 // EstimatedSize is in KiB
	if size, ok := key.Integer("EstimatedSize"); ok && size > 0 {
		item.SizeBytes = proto.Uint64(size * kib)
	}
	return item
}
