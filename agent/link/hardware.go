package link

import (
	"crypto/sha256"
	"encoding/binary"
	"slices"
	"strings"

	"google.golang.org/protobuf/proto"

	inventoryv1 "github.com/musterhq/muster/proto/muster/inventory/v1"
)

// The families of hardware identifiers. Replacing a component changes one of them; another machine
// differs in all.
const (
	familySMBIOS = "smbios"
	familyBoard  = "board"
	familyMAC    = "mac"
	familyDisk   = "disk"
)

// NamesHardware reports whether the items of a section contain hardware identifiers.
func NamesHardware(section string) bool {
	return section == "system" || section == "network_interface" || section == "storage"
}

// Hardware hashes the hardware identifiers of an inventory's items, by family. A family without
// identifiers is left out.
func Hardware(items []proto.Message) []*inventoryv1.Hardware {
	values := map[string][]string{}
	add := func(family, value string) {
		if value = strings.ToLower(strings.TrimSpace(value)); !isBlank(value) {
			values[family] = append(values[family], value)
		}
	}
	for _, item := range items {
		switch item := item.(type) {
		case *inventoryv1.System:
			add(familySMBIOS, item.GetSerialNumber())
			add(familySMBIOS, item.GetUuid())
			add(familyBoard, item.GetBoardSerial())
		case *inventoryv1.NetworkInterface:
			if mac := burnedIn(item); mac != "" {
				add(familyMAC, mac)
			}
		case *inventoryv1.Storage:
			if !item.GetRemovable() && item.GetBus() != "usb" {
				add(familyDisk, item.GetSerialNumber())
			}
		}
	}
	return hashFamilies(values)
}

func hashFamilies(values map[string][]string) []*inventoryv1.Hardware {
	var list []*inventoryv1.Hardware
	for _, family := range []string{familySMBIOS, familyBoard, familyMAC, familyDisk} {
		if len(values[family]) == 0 {
			continue
		}
		slices.Sort(values[family])
		sum := sha256.Sum256([]byte(strings.Join(slices.Compact(values[family]), "\x00")))
		list = append(list, &inventoryv1.Hardware{Family: family, Hash: binary.BigEndian.Uint64(sum[:8])})
	}
	return list
}

// burnedIn returns the address that the manufacturer assigned to an interface, or "".
func burnedIn(item *inventoryv1.NetworkInterface) string {
	if item.GetPermanentMac() != "" {
		return item.GetPermanentMac()
	}
	if item.GetIsVirtual() || locallyAdministered(item.GetMac()) {
		return ""
	}
	return item.GetMac()
}

// locallyAdministered reports whether software assigned the address: bit 1 of the first octet (IEEE
// 802 §8.2).
func locallyAdministered(mac string) bool {
	return len(mac) > 1 && strings.ContainsRune("2367abefABEF", rune(mac[1]))
}

// isBlank reports whether a value is one of the placeholders that manufacturers leave in unused
// fields.
func isBlank(value string) bool {
	if strings.Trim(value, "0f-:. x") == "" {
		return true
	}
	switch value {
	case "to be filled by o.e.m.", "default string", "not specified", "system serial number",
		"none", "n/a", "unknown", "not applicable":
		return true
	}
	return false
}
