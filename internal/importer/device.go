package importer

import (
	"fmt"
	"strings"

	"github.com/musterhq/muster/internal/inventory"
)

// deviceClasses are the classes of what agents find by SNMP, by their words for it in lower case. Others are not said.
var deviceClasses = map[string]string{
	"networkequipment": "network_device", "networking": "network_device", "printer": "printer", "phone": "peripheral",
	"power": "peripheral", "video": "peripheral", "kvm": "peripheral",
}

// deviceDocument describes what answered by SNMP: about says what it is, and whole has its ports. An item type, which
// only JSON has, goes before the device's own.
func deviceDocument(about, whole *node, itemType string) Document {
	m := &machine{}
	class := deviceClasses[strings.ToLower(itemType)]
	if class == "" {
		class = deviceClasses[strings.ToLower(about.get("type"))]
	}
	ids := inventory.Identifiers{
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
		return Document{Problem: fmt.Sprintf("line %d: the device has neither MAC address, serial number, name nor IP address", about.line)}
	}
	m.doc.Observed = inventory.Observed{Class: class, Attributes: attributes, Identifiers: ids}
	m.untakenOfDevice(about, whole)
	return m.doc
}

// deviceKey names a device by what is the most likely to stay: the message itself names the agent only.
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

// deviceHostname leaves out what stands where a name is missing: the address.
func deviceHostname(about *node) string {
	name := about.first("dnshostname", "snmphostname", "name")
	if strings.Trim(name, "0123456789.") == "" {
		return about.first("snmphostname", "name")
	}
	return name
}

// portTypes are the kinds of ports that have a hardware address of their own (IANAifType-MIB).
var portTypes = map[string]string{
	"6": "ethernet", "62": "ethernet", "117": "ethernet", // ethernetCsmacd, fastEther, gigabitEthernet
	"71": "wifi", // ieee80211
}

// deviceInterfaces gives the device's own address and those of its ports, each once.
func (m *machine) deviceInterfaces(about, whole *node) []inventory.InterfaceID {
	var found []inventory.InterfaceID
	seen := map[string]bool{"": true}
	add := func(n *node, kind string) {
		text := n.get("mac")
		mac, ok := hardwareAddress(text)
		if !ok && text != "" {
			m.warnf(n, "the MAC address %q is none: it is left out", text)
		}
		if !seen[mac] {
			seen[mac] = true
			found = append(found, inventory.InterfaceID{MAC: mac, Type: kind})
		}
	}
	add(about, "ethernet")
	ports := whole.all("network_ports")
	for _, list := range whole.all("ports") {
		ports = append(ports, list.all("port")...)
	}
	for _, port := range ports {
		if kind := portTypes[port.get("iftype")]; kind != "" {
			add(port, kind)
		}
	}
	return found
}

// deviceFields are what is taken of a device; the others describe the message, or how the device was asked.
var deviceFields = map[string]bool{
	"type": true, "manufacturer": true, "model": true, "serial": true, "name": true, "snmphostname": true, "dnshostname": true,
	"assettag": true, "description": true, "comments": true, "location": true, "mac": true, "ip": true,
	"info": true, "ports": true, "network_ports": true, "network_device": true,
	"versionclient": true, "authsnmp": true, "credentials": true, "id": true, "entity": true, "uptime": true,
}

func (m *machine) untakenOfDevice(about, whole *node) {
	var names []string
	seen := map[string]bool{}
	for _, child := range append(append([]*node{}, about.children...), whole.children...) {
		if !deviceFields[child.name] && !seen[child.name] {
			seen[child.name] = true
			names = append(names, child.name)
		}
	}
	if len(names) > 0 {
		m.doc.Warnings = append(m.doc.Warnings, "left out, for there is no place for them: "+strings.Join(names, ", "))
	}
}

// describePhone gives a phone's attributes: it is no computer, and has no sections.
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
		Identifiers: inventory.Identifiers{
			Manufacturer: bios.get("smanufacturer"), Model: bios.get("smodel"), SerialNumber: bios.get("ssn"),
			UUID: hardware.get("uuid"), Hostname: hardware.get("name"),
		},
	}
	for _, n := range m.entries("networks") {
		kind := interfaceType(n.get("type"))
		for _, id := range m.macs(n, n.get("mac")) {
			id.Type = kind
			m.doc.Observed.Identifiers.Interfaces = append(m.doc.Observed.Identifiers.Interfaces, id)
		}
	}
	m.users()
	m.untaken()
}
