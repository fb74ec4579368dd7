package importer

import (
	"slices"
	"strings"

	"github.com/musterhq/muster/internal/inventory"
)

// addComponent adds a component to the machine, unless it has one with the same class and key.
func (m *machine) addComponent(n *node, part inventory.Component) {
	for _, before := range m.doc.Observed.Components {
		if before.Class == part.Class && before.Key == part.Key {
			m.warnf(n, "the second %s %q is ignored", part.Class, part.Key)
			return
		}
	}
	m.doc.Observed.Components = append(m.doc.Observed.Components, part)
}

func set(attributes inventory.Attributes, name, text string) {
	if text != "" {
		attributes[name] = text
	}
}

// accounts are system accounts in lower case, which belong to no person. "wtmp" and "reboot" are
// lines of last(1) that agents report as users.
var accounts = map[string]bool{
	"root": true, "system": true, "local service": true, "network service": true,
	"wtmp": true, "reboot": true, "shutdown": true,
}

// users reads the users who are logged in and the last one who was. A domain account is one person
// on all machines. A local account has no identifier, because the same login on another machine may
// belong to somebody else.
func (m *machine) users() {
	seen := map[string]bool{}
	for _, n := range m.entries("users") {
		m.user(n, n.get("login"), n.get("domain"), seen)
	}
	if hardware := m.single("hardware"); hardware != nil {
		m.user(hardware, hardware.get("lastloggeduser"), "", seen)
	}
}

func (m *machine) user(n *node, login, domain string, seen map[string]bool) {
	if before, after, qualified := strings.Cut(login, `\`); qualified && domain == "" {
		domain, login = before, after
	}
	folded := strings.ToLower(login)
	if login == "" || seen[folded] {
		return
	}
	seen[folded] = true
	if accounts[folded] {
		m.warnf(n, "the user %q is ignored: it is a system account", login)
		return
	}
	part := inventory.Component{
		Class: "person", Key: folded, Relationship: "used_by", Inverse: true,
		Attributes: inventory.Attributes{"name": login, "login": login},
	}
	if domain != "" {
		part.Key = strings.ToLower(domain) + `\` + folded
		part.Attributes["domain"] = domain
		part.Identifiers.Native = []string{"account:" + part.Key}
	}
	m.addComponent(n, part)
}

// switchedOff are the agents' words for the states in which a guest does not run.
var switchedOff = []string{"off", "shutdown", "shut off", "shutoff", "crashed", "dying"}

// virtualMachines reads the guests, which may be virtual machines or containers.
func (m *machine) virtualMachines() {
	for _, n := range m.entries("virtualmachines") {
		key := n.first("uuid", "name")
		if key == "" {
			m.warnf(n, "a virtual machine without a name is ignored")
			continue
		}
		part := inventory.Component{
			Class: "virtual_machine", Key: key, Relationship: "hosted_on",
			Attributes: inventory.Attributes{}, Idle: slices.Contains(switchedOff, strings.ToLower(n.get("status"))),
		}
		set(part.Attributes, "name", n.get("name"))
		set(part.Attributes, "serial_number", n.get("serial"))
		part.Identifiers = inventory.RawIdentifiers{
			SerialNumber: n.get("serial"), Virtual: true, Interfaces: m.macs(n, n.get("mac")),
		}
		vmType := strings.ToLower(n.get("vmtype"))
		if container, is := containers[vmType]; is {
			part.Class = "container"
			part.Attributes["container_type"] = container
			part.Identifiers.Container = container
			part.Identifiers.Native = nativeOf(container, n.get("uuid"))
		} else {
			part.Identifiers.UUID = n.get("uuid")
			set(part.Attributes, "uuid", strings.ToLower(n.get("uuid")))
			set(part.Attributes, "hypervisor", hypervisorOf(n.get("subsystem"), vmType))
		}
		m.addComponent(n, part)
	}
}

func nativeOf(scope, id string) []string {
	if id == "" {
		return nil
	}
	return []string{scope + ":" + id}
}

// hypervisorOf prefers the hypervisor to its management tool, such as libvirt.
func hypervisorOf(texts ...string) string {
	for _, text := range texts {
		if hypervisor := hypervisors[strings.ToLower(text)]; hypervisor != "" {
			return hypervisor
		}
	}
	for _, text := range texts {
		if text != "" {
			return text
		}
	}
	return ""
}

// macs reads the hardware addresses of a list such as "00:11:22:33:44:55, 00:11:22:33:44:56".
func (m *machine) macs(n *node, text string) []inventory.InterfaceID {
	var found []inventory.InterfaceID
	for _, word := range strings.FieldsFunc(text, func(r rune) bool { return strings.ContainsRune("/,; ", r) }) {
		mac, ok := hardwareAddress(word)
		if !ok {
			m.warnf(n, "%q is not a MAC address; it is ignored", word)
		}
		if mac != "" {
			found = append(found, inventory.InterfaceID{MAC: mac, Type: "ethernet"})
		}
	}
	return found
}

// printers reads the printers that are plugged into the machine. A queue of a printer elsewhere is
// not a component.
func (m *machine) printers() {
	queues := 0
	for _, n := range m.entries("printers") {
		serial, port := n.get("serial"), n.get("port")
		lower := strings.ToLower(port)
		local := serial != "" || strings.HasPrefix(lower, "usb") || strings.HasPrefix(lower, "dot4")
		if shared := flag(n.get("network")); !local || shared != nil && *shared {
			queues++
			continue
		}
		name := n.first("name", "description")
		part := inventory.Component{
			Class: "printer", Key: n.first("serial", "name", "description"), Relationship: "connected_to",
			Attributes:  inventory.Attributes{},
			Identifiers: inventory.RawIdentifiers{SerialNumber: serial, Model: n.get("driver")},
		}
		set(part.Attributes, "name", name)
		set(part.Attributes, "serial_number", serial)
		set(part.Attributes, "driver", n.get("driver"))
		set(part.Attributes, "port", port)
		if part.Key == "" {
			m.warnf(n, "a printer without a name is ignored")
			continue
		}
		m.addComponent(n, part)
	}
	if queues > 0 {
		m.warnf(m.entries("printers")[0],
			"%d printers are ignored: the file does not show that they are plugged into this machine", queues)
	}
}
