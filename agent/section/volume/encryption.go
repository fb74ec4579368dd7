package volume

import (
	"strings"

	"github.com/musterhq/muster/agent/host"
)

// ciphers finds the encryption of devices. It caches the results, because volumes share devices.
type ciphers struct {
	host  *host.Host
	known map[string]string
}

// method returns the encryption of the device, or of everything below it (LVM on LUKS on RAID has
// three layers). A volume on two disks of which one is not encrypted is not encrypted. It returns
// "" if there is no encryption or none is known.
func (c ciphers) method(kernelName string) string {
	if method, asked := c.known[kernelName]; asked {
		return method
	}
	c.known[kernelName] = "" // ends a cycle of devices
	directory := "/sys/class/block/" + kernelName
	method := cryptMethod(c.host.Attribute(directory + "/dm/uuid"))
	if method == "" {
		method = c.below(directory + "/slaves")
	}
	c.known[kernelName] = method
	return method
}

func (c ciphers) below(slaves string) string {
	devices, err := c.host.ReadDir(slaves)
	if err != nil {
		return ""
	}
	method := ""
	for _, device := range devices {
		if method = c.method(device.Name()); method == "" {
			return ""
		}
	}
	return method
}

// cryptMethod returns the encryption in the ID that cryptsetup assigns to its devices,
// "CRYPT-LUKS2-…".
func cryptMethod(dmUUID string) string {
	kind, found := strings.CutPrefix(dmUUID, "CRYPT-")
	if !found {
		return ""
	}
	kind, _, _ = strings.Cut(kind, "-")
	switch kind {
	case "LUKS1", "LUKS2":
		return "luks"
	case "BITLK":
		return "bitlocker"
	case "TCRYPT":
		return "veracrypt"
	case "PLAIN", "LOOPAES":
		return "dm-crypt"
	default: // VERITY, INTEGRITY: no encryption
		return ""
	}
}
