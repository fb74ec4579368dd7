package importer

import (
	"strings"

	"github.com/musterhq/muster/internal/inventory"
)

// deviceClasses maps the types of devices that agents find by SNMP, in lower case, to classes.
// Other types have no class.
var deviceClasses = map[string]string{
	"networkequipment": "network_device", "networking": "network_device", "printer": "printer", "phone": "peripheral",
	"power": "peripheral", "video": "peripheral", "kvm": "peripheral",
}

// deviceDocument converts a device that answered by SNMP: about describes the device, and whole has
// its ports. The item type of the message, which only JSON has, overrides the type of the device.
func deviceDocument(about, whole *node, itemType string) Document {
	m := &machine{}
	class := deviceClasses[strings.ToLower(itemType)]
	if class == "" {
		class = deviceClasses[strings.ToLower(about.get("type"))]
	}
	ids := inventory.RawIdentifiers{
		Manufacturer: about.get("manufacturer"),
		Model:        about.get("model"),
		SerialNumber: about.get("serial"),
		Hostname:     deviceHostname(about),
		Interfaces:   m.deviceInterfaces(about, whole),
	}
	attributes := inventory.Attributes{}
	set(attributes, "name", about.first("name", "snmphostname", "dnshostname"))
	set(attributes, "manufacturer", ids.Manufacturer)
	set(attributes, "model", ids.Model)
	set(attributes, "serial_number", ids.SerialNumber)
	set(attributes, "asset_tag", about.get("assettag"))
	set(attributes, "description", about.first("description", "comments"))
	set(attributes, "location", about.get("location"))
	mac, _ := hardwareAddress(about.get("mac"))
	if class == "network_device" || class == "printer" {
		set(attributes, "mac_address", mac)
	}
	m.doc.NativeKey = deviceKey(about, mac)
	if m.doc.NativeKey == "" {
		return Document{Problem: position(about) + ": the device has no MAC address, serial number, name or IP address"}
	}
	m.doc.Observed = inventory.Observed{Class: class, Attributes: attributes, Identifiers: ids}
	m.warnUnusedOfDevice(about, whole)
	return m.doc
}

// deviceKey identifies a device by its most stable property, because the message has only the
// agent's id.
func deviceKey(about *node, mac string) string {
	switch {
	case mac != "":
		return "mac " + mac
	case about.get("serial") != "":
		return strings.TrimSpace("serial " + about.get("manufacturer") + " " + about.get("serial"))
	}
	if name := about.first("name", "snmphostname", "dnshostname"); name != "" {
		return "name " + name
	}
	if ip := about.get("ip"); ip != "" {
		return "ip " + ip
	}
	return ""
}

// deviceHostname ignores an IP address, which agents write if the name is missing.
func deviceHostname(about *node) string {
	name := about.first("dnshostname", "snmphostname", "name")
	if strings.Trim(name, "0123456789.") == "" {
		return about.first("snmphostname", "name")
	}
	return name
}

// portTypes are the types of ports that have their own hardware address (IANAifType-MIB).
var portTypes = map[string]string{
	"6": "ethernet", "62": "ethernet", "117": "ethernet", // ethernetCsmacd, fastEther, gigabitEthernet
	"71": "wifi", // ieee80211
}

// deviceInterfaces returns the device's own hardware address and those of its ports, each once.
func (m *machine) deviceInterfaces(about, whole *node) []inventory.InterfaceID {
	var found []inventory.InterfaceID
	seen := map[string]bool{"": true}
	add := func(n *node, portType string) {
		text := n.get("mac")
		mac, ok := hardwareAddress(text)
		if !ok && text != "" {
			m.warnf(n, "%q is not a MAC address; it is ignored", text)
		}
		if !seen[mac] {
			seen[mac] = true
			found = append(found, inventory.InterfaceID{MAC: mac, Type: portType})
		}
	}
	add(about, "ethernet")
	ports := whole.all("network_ports")
	for _, list := range whole.all("ports") {
		ports = append(ports, list.all("port")...)
	}
	for _, port := range ports {
		if portType := portTypes[port.get("iftype")]; portType != "" {
			add(port, portType)
		}
	}
	return found
}

// deviceFields are the fields that are used, and those that describe the message or how the device
// was queried.
var deviceFields = map[string]bool{
	"type": true, "manufacturer": true, "model": true, "serial": true, "name": true, "snmphostname": true,
	"dnshostname": true, "assettag": true, "description": true, "comments": true, "location": true, "mac": true,
	"ip": true, "info": true, "ports": true, "network_ports": true, "network_device": true,
	"versionclient": true, "authsnmp": true, "credentials": true, "id": true, "entity": true, "uptime": true,
}

func (m *machine) warnUnusedOfDevice(about, whole *node) {
	var names []string
	seen := map[string]bool{}
	for _, child := range append(append([]*node{}, about.children...), whole.children...) {
		if !deviceFields[child.name] && !seen[child.name] {
			seen[child.name] = true
			names = append(names, child.name)
		}
	}
	if len(names) > 0 {
		m.doc.Warnings = append(m.doc.Warnings, "ignored fields: "+strings.Join(names, ", "))
	}
}

// describePhone fills the attributes of a phone. It is not a computer and has no sections.
func (m *machine) describePhone() {
	bios, hardware := m.single("bios"), m.single("hardware")
	attributes := inventory.Attributes{}
	set(attributes, "name", hardware.get("name"))
	set(attributes, "manufacturer", bios.get("smanufacturer"))
	set(attributes, "model", bios.get("smodel"))
	set(attributes, "serial_number", bios.get("ssn"))
	set(attributes, "asset_tag", bios.get("assettag"))
	m.doc.Observed = inventory.Observed{
		Class: "peripheral", Attributes: attributes,
		Identifiers: inventory.RawIdentifiers{
			Manufacturer: bios.get("smanufacturer"), Model: bios.get("smodel"), SerialNumber: bios.get("ssn"),
			UUID: hardware.get("uuid"), Hostname: hardware.get("name"),
		},
	}
	for _, n := range m.entries("networks") {
		portType := interfaceType(n.get("type"))
		for _, id := range m.macs(n, n.get("mac")) {
			id.Type = portType
			m.doc.Observed.Identifiers.Interfaces = append(m.doc.Observed.Identifiers.Interfaces, id)
		}
	}
	m.users()
	m.warnUnused()
}
