package host

import "net/netip"

// Interface is a network interface.
type Interface struct {
	Index    int
	Name     string
	MAC      string // empty if it has none
	MTU      int
	Up       bool // administratively up; a cable may be missing
	Loopback bool
	Tunnel   bool // point to point

	// Only Windows and macOS have the fields below.
	Gateways []netip.Addr
	Metric   uint32 // the interface with the lowest one is used first

	// Only Windows has the fields below. macOS has some of them in a file.
	ID           string // a GUID in braces
	Type         uint32 // IANA's ifType; 0 if unknown
	Hardware     *bool  // it is a device, or a guest's virtual one; nil if unknown
	PermanentMAC string
	SpeedBits    uint64 // per second; 0 if unknown
	NameServers  []netip.Addr
}

// Neighbor is a machine on the link of an interface, with its hardware address.
type Neighbor struct {
	Index   int // of the interface
	Address netip.Addr
	MAC     string
}

// Neighbors returns the machines that have answered on the links of the interfaces.
func (h *Host) Neighbors() ([]Neighbor, error) {
	return ask(h, "neighbors", "", neighbors)
}

// InterfaceAddress is an address of a network interface.
type InterfaceAddress struct {
	Index      int // of the interface
	Prefix     netip.Prefix
	Temporary  bool // RFC 8981
	Tentative  bool // RFC 4862 §5.4: not known to be unique, or known not to be
	Deprecated bool // RFC 4862 §5.5.4
}

// Interfaces returns the machine's network interfaces. It is unsupported for a tree because they
// are not in files.
func (h *Host) Interfaces() ([]Interface, error) {
	return ask(h, "network interfaces", "", interfaces)
}

// InterfaceAddresses returns the addresses of the machine's network interfaces.
func (h *Host) InterfaceAddresses() ([]InterfaceAddress, error) {
	return ask(h, "network addresses", "", interfaceAddresses)
}

// LinkKinds returns the kinds of the network interfaces that the kernel makes itself, by name, such
// as "veth" or "openvswitch". sysfs does not have them.
func (h *Host) LinkKinds() (map[string]string, error) {
	return ask(h, "kinds of network interfaces", "", linkKinds)
}

// PermanentMAC returns the hardware address that the manufacturer assigned, or "" if the driver
// does not know it.
func (h *Host) PermanentMAC(name string) (string, error) {
	return ask(h, "permanent address", name, func() (string, error) { return permanentMAC(name) })
}
