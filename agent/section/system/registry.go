package system

import (
	"github.com/musterhq/muster/agent/host"
	inventoryv1 "github.com/musterhq/muster/proto/muster/inventory/v1"
)

// biosKey has the strings of the SMBIOS table that Windows copies when it starts. It has no serial
// numbers.
const biosKey = `HKLM\HARDWARE\DESCRIPTION\System\BIOS`

// fromRegistry describes the machine without the SMBIOS table. It returns nil if there is no
// registry.
func fromRegistry(h *host.Host) *inventoryv1.System {
	key, err := h.RegistryKey(biosKey)
	if err != nil {
		return nil
	}
	return &inventoryv1.System{
		Manufacturer:      key.Text("SystemManufacturer"),
		ProductName:       key.Text("SystemProductName"),
		Version:           key.Text("SystemVersion"),
		Family:            key.Text("SystemFamily"),
		SkuNumber:         key.Text("SystemSKU"),
		BoardManufacturer: key.Text("BaseBoardManufacturer"),
		BoardProduct:      key.Text("BaseBoardProduct"),
		BoardVersion:      key.Text("BaseBoardVersion"),
	}
}
