package reconcile

import (
	"encoding/json"
	"strings"

	"github.com/musterhq/muster/internal/inventory"
)

type (
	// System holds the facts of the system section that attributes of a device come from.
	System struct {
		Manufacturer    string  `json:"manufacturer"`
		ProductName     string  `json:"product_name"`
		SerialNumber    string  `json:"serial_number"`
		UUID            string  `json:"uuid"`
		ChassisTypeCode *uint32 `json:"chassis_type_code"`
		IsVirtual       *bool   `json:"is_virtual"`
		ContainerType   string  `json:"container_type"`
	}
	// OS holds those of the os section.
	OS struct {
		Name     string `json:"name"`
		Version  string `json:"version"`
		Hostname string `json:"hostname"`
	}
)

// maxAttribute bounds an attribute in bytes: attributes are indexed.
const maxAttribute = 255

// Device gives the attributes of a device from the facts of its system and os sections; either may be nil.
func Device(system, os json.RawMessage) inventory.DeviceFacts {
	var s System
	var o OS
	// Facts are what we wrote ourselves; if they cannot be read, the attribute is unknown.
	_ = json.Unmarshal(system, &s)
	_ = json.Unmarshal(os, &o)
	return inventory.DeviceFacts{
		Class:        class(s),
		Name:         bound(o.Hostname),
		Manufacturer: bound(s.Manufacturer),
		Model:        bound(s.ProductName),
		SerialNumber: bound(s.SerialNumber),
		UUID:         bound(s.UUID),
		OSName:       bound(o.Name),
		OSVersion:    bound(o.Version),
	}
}

// The CI classes of a device.
const (
	ClassComputer       = "computer" // of no known form
	ClassDesktop        = "desktop"
	ClassLaptop         = "laptop"
	ClassServer         = "server"
	ClassVirtualMachine = "virtual_machine"
	ClassContainer      = "container"
)

// chassisClasses are the chassis types that tell a class, SMBIOS 3.7 §7.4.1.
var chassisClasses = map[uint32]string{
	3: ClassDesktop, 4: ClassDesktop, 5: ClassDesktop, 6: ClassDesktop, 7: ClassDesktop, // desktop … tower
	8: ClassLaptop, 9: ClassLaptop, 10: ClassLaptop, // portable, laptop, notebook
	13: ClassDesktop,                   // all in one
	14: ClassLaptop,                    // sub notebook
	15: ClassDesktop, 16: ClassDesktop, // space-saving, lunch box
	17: ClassServer, 23: ClassServer, 25: ClassServer, 28: ClassServer, 29: ClassServer, // main server, rack, multi-system, blade, enclosure
	24: ClassDesktop,                 // sealed-case PC
	30: ClassLaptop,                  // tablet
	31: ClassLaptop, 32: ClassLaptop, // convertible, detachable
	35: ClassDesktop, 36: ClassDesktop, // mini PC, stick PC
}

func class(s System) string {
	switch {
	case s.ContainerType != "":
		return ClassContainer
	case s.IsVirtual != nil && *s.IsVirtual:
		return ClassVirtualMachine
	case s.ChassisTypeCode == nil:
		return ClassComputer
	}
	if class, ok := chassisClasses[*s.ChassisTypeCode]; ok {
		return class
	}
	return ClassComputer
}

func bound(s string) string {
	if len(s) <= maxAttribute {
		return s
	}
	return strings.ToValidUTF8(s[:maxAttribute], "")
}
