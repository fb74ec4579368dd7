package reconcile

import (
	"strings"

	"github.com/musterhq/muster/internal/inventory"
)

// chassisClasses are the chassis types that tell a class, with their names: SMBIOS 3.7 §7.4.1.
var chassisClasses = []struct {
	code  uint32
	name  string
	class string
}{
	{3, "Desktop", inventory.ClassDesktop},
	{4, "Low Profile Desktop", inventory.ClassDesktop},
	{5, "Pizza Box", inventory.ClassDesktop},
	{6, "Mini Tower", inventory.ClassDesktop},
	{7, "Tower", inventory.ClassDesktop},
	{8, "Portable", inventory.ClassLaptop},
	{9, "Laptop", inventory.ClassLaptop},
	{10, "Notebook", inventory.ClassLaptop},
	{13, "All In One", inventory.ClassDesktop},
	{14, "Sub Notebook", inventory.ClassLaptop},
	{15, "Space-saving", inventory.ClassDesktop},
	{16, "Lunch Box", inventory.ClassDesktop},
	{17, "Main Server Chassis", inventory.ClassServer},
	{23, "Rack Mount Chassis", inventory.ClassServer},
	{24, "Sealed-case PC", inventory.ClassDesktop},
	{25, "Multi-system", inventory.ClassServer},
	{28, "Blade", inventory.ClassServer},
	{29, "Blade Enclosing", inventory.ClassServer},
	{30, "Tablet", inventory.ClassLaptop},
	{31, "Convertible", inventory.ClassLaptop},
	{32, "Detachable", inventory.ClassLaptop},
	{35, "Mini PC", inventory.ClassDesktop},
	{36, "Stick PC", inventory.ClassDesktop},
}

// chassisClass tells the class of a computer by the type of its chassis: by the code, or by the name where a source
// has only that.
func chassisClass(code *uint32, name string) string {
	for _, c := range chassisClasses {
		if code != nil && *code == c.code || code == nil && strings.EqualFold(name, c.name) {
			return c.class
		}
	}
	return inventory.ClassComputer
}
