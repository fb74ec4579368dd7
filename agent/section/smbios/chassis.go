package smbios

// Chassis is the enclosure, type 3 (SMBIOS 3.7 §7.4).
type Chassis struct {
	Manufacturer string
	Type         string // empty if the specification does not name the code
	TypeCode     uint8  // 0 if not set
	Version      string
	SerialNumber string
	AssetTag     string
}

// chassisTypes are the texts of SMBIOS 3.7 §7.4.1.
var chassisTypes = names{
	"Other", "Unknown", "Desktop", "Low Profile Desktop", "Pizza Box", "Mini Tower", "Tower", "Portable", "Laptop",
	"Notebook", "Hand Held", "Docking Station", "All In One", "Sub Notebook", "Space-saving", "Lunch Box",
	"Main Server Chassis", "Expansion Chassis", "Sub Chassis", "Bus Expansion Chassis", "Peripheral Chassis",
	"RAID Chassis", "Rack Mount Chassis", "Sealed-case PC", "Multi-system", "CompactPCI", "AdvancedTCA", "Blade",
	"Blade Enclosing", "Tablet", "Convertible", "Detachable", "IoT Gateway", "Embedded PC", "Mini PC", "Stick PC",
}

// chassisLock is the bit of the type that is set if there is a lock.
const chassisLock = 0x80

// Chassis returns the table's first enclosure. A dock is another one.
func (t *Table) Chassis() (Chassis, bool) {
	s, ok := t.first(typeChassis)
	code := s.byte(0x05) &^ chassisLock
	return Chassis{
		Manufacturer: s.text(0x04),
		Type:         chassisTypes.of(code),
		TypeCode:     code,
		Version:      s.text(0x06),
		SerialNumber: s.text(0x07),
		AssetTag:     s.text(0x08),
	}, ok
}

// ChassisType returns the name of a chassis code, or "" if the specification does not name it.
func ChassisType(code uint8) string { return chassisTypes.of(code) }
