package importer

import (
	"fmt"
	"strings"
	"time"

	"github.com/musterhq/muster/internal/inventory"
)

// messageOfJSON reads a message of a GLPI agent (inventory_format, inventory.schema.json).
func messageOfJSON(root *node) ([]Document, error) {
	content := root.child("content")
	if content == nil {
		return nil, fmt.Errorf("line %d: the object has no member \"content\"", root.line)
	}
	if device := content.child("network_device"); device != nil {
		return []Document{deviceDocument(device, content, root.get("itemtype"))}, nil
	}
	key, err := deviceID(root)
	if err != nil {
		return nil, err
	}
	switch action := root.get("action"); action {
	case "", "inventory":
	default:
		return nil, fmt.Errorf("line %d: the action is %q, want \"inventory\"", root.line, action)
	}
	m := newMachine(content)
	m.doc.NativeKey = key
	m.partial = root.get("partial") == "true"
	if root.get("itemtype") == "Phone" {
		m.describePhone()
	} else {
		m.describe()
	}
	m.doc.Observed.Partial = m.partial
	return []Document{m.doc}, nil
}

// messageOfXML reads a message of a FusionInventory or an OCS agent: an inventory, or the devices
// that it found by SNMP.
func messageOfXML(root *node) ([]Document, error) {
	if root.name != "request" {
		return nil, fmt.Errorf("line %d: the root element is %s, want REQUEST", root.line, strings.ToUpper(root.name))
	}
	content := root.child("content")
	if content == nil {
		return nil, fmt.Errorf("line %d: REQUEST has no element CONTENT", root.line)
	}
	switch query := strings.ToUpper(root.get("query")); query {
	case "INVENTORY":
		key, err := deviceID(root)
		if err != nil {
			return nil, err
		}
		m := newMachine(content)
		m.doc.NativeKey = key
		m.doc.Position = position(root)
		m.describe()
		return []Document{m.doc}, nil
	case "NETDISCOVERY", "SNMPQUERY", "SNMP", "NETINVENTORY":
		// DEVICEID names the agent that scanned, not the device that answered.
		var docs []Document
		for _, device := range content.all("device") {
			docs = append(docs, devicesOfXML(device))
		}
		return docs, nil
	default:
		return nil, fmt.Errorf("line %d: the element QUERY is %q, want INVENTORY", root.line, query)
	}
}

func devicesOfXML(device *node) Document {
	about := device
	if info := device.child("info"); info != nil {
		about = info
	}
	doc := deviceDocument(about, device, "")
	doc.Position = position(device)
	return doc
}

func deviceID(root *node) (string, error) {
	switch found := root.all("deviceid"); {
	case len(found) == 0 || found[0].text == "":
		return "", fmt.Errorf("line %d: the message has no device id", root.line)
	case len(found) > 1:
		return "", fmt.Errorf("line %d: the message has a second device id", found[1].line)
	default:
		return found[0].text, nil
	}
}

func position(n *node) string { return fmt.Sprintf("line %d", n.line) }

// aliases maps section.field of the XML of FusionInventory and OCS to the name that GLPI's JSON has
// for the same field. The fields that the importer reads have no other differences.
var aliases = map[string]string{
	"bios.type":                    "chassis_type", // OCS
	"cpus.cores":                   "core",         // OCS
	"cpus.cpuarch":                 "arch",         // OCS
	"cpus.serialnumber":            "serial",       // OCS
	"cpus.threads":                 "thread",       // OCS
	"cpus.type":                    "name",         // OCS
	"memories.errorcorrectiontype": "memorycorrection",
	"monitors.serialnumber":        "serial",
	"networks.macaddr":             "mac",
	"operatingsystem.installdate":  "install_date",
	"printers.serialnumber":        "serial",
	"softwares.architecture":       "arch", // OCS
	"softwares.installdate":        "install_date",
	"storages.serialnumber":        "serial",
}

// machine converts the inventory of one computer into its document.
type machine struct {
	doc     Document
	content map[string][]*node // the entries of the file by section
	order   []string           // the names of the file's sections, in its order
	used    map[string]bool
	partial bool // the file has only some sections of the machine
}

func newMachine(content *node) *machine {
	m := &machine{content: map[string][]*node{}, used: map[string]bool{}}
	renamed := map[string]string{}
	for _, entry := range content.children {
		if _, known := m.content[entry.name]; !known {
			m.order = append(m.order, entry.name)
		}
		m.content[entry.name] = append(m.content[entry.name], entry)
		for _, field := range entry.children {
			long := entry.name + "." + field.name
			if _, known := renamed[long]; !known {
				renamed[long] = aliases[long]
			}
			if name := renamed[long]; name != "" {
				field.name = name
			}
		}
	}
	return m
}

// entries returns the entries of a section of the file and marks the section as used.
func (m *machine) entries(section string) []*node {
	m.used[section] = true
	return m.content[section]
}

// single returns the only entry of a section, nil if the file does not have the section.
func (m *machine) single(section string) *node {
	first := !m.used[section]
	entries := m.entries(section)
	if len(entries) == 0 {
		return nil
	}
	if len(entries) > 1 && first {
		m.warnf(entries[1], "the second entry of section %s is ignored", section)
	}
	return entries[0]
}

func (m *machine) warnf(n *node, format string, args ...any) {
	m.doc.Warnings = append(m.doc.Warnings, fmt.Sprintf("line %d: ", n.line)+fmt.Sprintf(format, args...))
}

// describe fills the document.
func (m *machine) describe() {
	for _, s := range sections {
		if m.has(s.from) || s.optional && !m.partial {
			m.collect(s)
		}
	}
	m.date()
	m.name()
	m.users()
	m.virtualMachines()
	m.printers()
	m.warnUnused()
}

func (m *machine) has(names []string) bool {
	for _, name := range names {
		if len(m.content[name]) > 0 {
			return true
		}
	}
	return false
}

// name takes the machine's name from the section hardware if there is no section os: GLPI's partial
// inventories have the name without the operating system.
func (m *machine) name() {
	for _, s := range m.doc.Sections {
		if s.Name == "os" {
			return
		}
	}
	if name := m.single("hardware").get("name"); name != "" {
		m.doc.Observed.Identifiers.Hostname = name
		m.doc.Observed.Attributes = inventory.Attributes{"name": name, "hostname": name}
	}
}

// date takes the time when the agent made the inventory.
func (m *machine) date() {
	if text := m.single("accesslog").get("logdate"); text != "" {
		var err error
		if m.doc.At, err = time.Parse(time.DateTime, text); err != nil {
			m.warnf(m.single("accesslog"), "the date %q of the inventory is not a time; it is ignored", text)
		}
	}
}

// aboutMessage are the sections that describe the message or the agent, not the machine.
var aboutMessage = map[string]bool{
	"accesslog": true, "versionclient": true, "versionprovider": true, "download": true, "etag": true,
}

// warnUnused adds a warning with the sections of the file that were not used.
func (m *machine) warnUnused() {
	var names []string
	for _, name := range m.order {
		if !m.used[name] && !aboutMessage[name] {
			names = append(names, fmt.Sprintf("%s (%d)", name, len(m.content[name])))
		}
	}
	if len(names) > 0 {
		m.doc.Warnings = append(m.doc.Warnings, "ignored sections: "+strings.Join(names, ", "))
	}
}
