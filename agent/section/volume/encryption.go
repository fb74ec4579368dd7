package volume

import (
	"strings"

	"github.com/musterhq/muster/agent/host"
)

// ciphers finds what encrypts devices, and remembers it: volumes lie on common devices.
type ciphers struct {
	host  *host.Host
	known map[string]string
}

// method names what encrypts the device, or everything below it (LVM on LUKS on RAID are three layers): a volume on
// two disks of which one is in clear text is not encrypted. Empty: it is not, or not known to be.
func (c ciphers) method(kernelName string) string {
	if method, asked := c.known[kernelName]; asked {
		return method
	}
	c.known[kernelName] = "" // so that devices which claim to lie on each other end here
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

// cryptMethod reads the kind of encryption from the id that cryptsetup gives its devices, "CRYPT-LUKS2-…".
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
	default: // VERITY, INTEGRITY: they do not hide anything
		return ""
	}
}
