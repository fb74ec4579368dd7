package importer

import (
	"strings"

	"google.golang.org/protobuf/proto"

	inventoryv1 "github.com/musterhq/muster/proto/muster/inventory/v1"
)

// volumes reads the file systems. On Windows the drive letter is the mount point, and the field for
// the device holds the label.
func (m *machine) volumes() []entry {
	var items []entry
	for _, n := range m.entries("drives") {
		if n.get("letter") != "" && n.get("filesystem") == "" && n.get("total") == "" {
			m.warnf(n, "the drive %s is ignored: it has no file system", n.get("letter"))
			continue
		}
		item := &inventoryv1.Volume{
			FsType:           n.get("filesystem"),
			Label:            n.get("label"),
			Uuid:             n.get("serial"),
			TotalBytes:       m.size(n, "total", mebibyte),
			FreeBytes:        m.size(n, "free", mebibyte),
			EncryptionMethod: encryption(n),
			IsSystem:         flag(n.get("systemdrive")),
		}
		if letter := n.get("letter"); letter != "" {
			item.MountPoint = letter
			if item.Label == "" {
				item.Label = n.get("volumn")
			}
		} else {
			item.Device = n.get("volumn")
			if point := n.get("type"); strings.HasPrefix(point, "/") {
				item.MountPoint = point
				item.IsSystem = proto.Bool(point == "/")
			}
		}
		if item.TotalBytes != nil && item.FreeBytes == nil && n.get("free") == "0" {
			item.FreeBytes = proto.Uint64(0)
		}
		items = append(items, entry{item, n})
	}
	return items
}

// encryption returns the method of a fully encrypted file system, else "".
func encryption(n *node) string {
	if !strings.EqualFold(n.get("encrypt_status"), "yes") {
		return ""
	}
	name := strings.ToLower(n.get("encrypt_name"))
	if strings.HasPrefix(name, "luks") || name == "cryptsetup" {
		return "luks"
	}
	return name
}
