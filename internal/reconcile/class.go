package reconcile

import "strings"

// The CI classes that are observed.
const (
	ClassComputer       = "computer" // of no known form
	ClassDesktop        = "desktop"
	ClassLaptop         = "laptop"
	ClassServer         = "server"
	ClassVirtualMachine = "virtual_machine"
	ClassContainer      = "container"
	ClassMonitor        = "monitor"
	ClassStorageDevice  = "storage_device"
	ClassInstallation   = "operating_system_installation"
)

// chassisClasses are the chassis types that tell a class, with their names: SMBIOS 3.7 §7.4.1.
var chassisClasses = []struct {
	code  uint32
	name  string
	class string
}{
	{3, "Desktop", ClassDesktop},
	{4, "Low Profile Desktop", ClassDesktop},
	{5, "Pizza Box", ClassDesktop},
	{6, "Mini Tower", ClassDesktop},
	{7, "Tower", ClassDesktop},
	{8, "Portable", ClassLaptop},
	{9, "Laptop", ClassLaptop},
	{10, "Notebook", ClassLaptop},
	{13, "All In One", ClassDesktop},
	{14, "Sub Notebook", ClassLaptop},
	{15, "Space-saving", ClassDesktop},
	{16, "Lunch Box", ClassDesktop},
	{17, "Main Server Chassis", ClassServer},
	{23, "Rack Mount Chassis", ClassServer},
	{24, "Sealed-case PC", ClassDesktop},
	{25, "Multi-system", ClassServer},
	{28, "Blade", ClassServer},
	{29, "Blade Enclosing", ClassServer},
	{30, "Tablet", ClassLaptop},
	{31, "Convertible", ClassLaptop},
	{32, "Detachable", ClassLaptop},
	{35, "Mini PC", ClassDesktop},
	{36, "Stick PC", ClassDesktop},
}

// chassisClass tells the class of a computer by the type of its chassis: by the code, or by the name where a source
// has only that.
func chassisClass(code *uint32, name string) string {
	for _, c := range chassisClasses {
		if code != nil && *code == c.code || code == nil && strings.EqualFold(name, c.name) {
			return c.class
		}
	}
	return ClassComputer
}
