package importer

import (
	"fmt"
	"strings"

	"github.com/musterhq/muster/internal/inventory"
)

// messageOfJSON reads a message of a GLPI agent (inventory_format, inventory.schema.json).
func messageOfJSON(root *node) ([]Document, error) {
	content := root.child("content")
	if content == nil {
		return nil, fmt.Errorf("line %d: no member content", root.line)
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
		return nil, fmt.Errorf("line %d: the action %q is no inventory", root.line, action)
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

// messageOfXML reads a message of a FusionInventory or an OCS agent: an inventory, or what it found by SNMP.
func messageOfXML(root *node) ([]Document, error) {
	if root.name != "request" {
		return nil, fmt.Errorf("line %d: the outermost element is %s, want REQUEST", root.line, strings.ToUpper(root.name))
	}
	content := root.child("content")
	if content == nil {
		return nil, fmt.Errorf("line %d: no element CONTENT in REQUEST", root.line)
	}
	switch query := strings.ToUpper(root.get("query")); query {
	case "INVENTORY":
		key, err := deviceID(root)
		if err != nil {
			return nil, err
		}
		m := newMachine(content)
		m.doc.NativeKey = key
		m.doc.Place = place(root)
		m.describe()
		return []Document{m.doc}, nil
	case "NETDISCOVERY", "SNMPQUERY", "SNMP", "NETINVENTORY":
		// DEVICEID is the agent that asked, not the device that answered.
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
	doc.Place = place(device)
	return doc
}

func deviceID(root *node) (string, error) {
	switch found := root.all("deviceid"); {
	case len(found) == 0 || found[0].text == "":
		return "", fmt.Errorf("line %d: no device id, which names the agent", root.line)
	case len(found) > 1:
		return "", fmt.Errorf("line %d: a second device id", found[1].line)
	default:
		return found[0].text, nil
	}
}

func place(n *node) string { return fmt.Sprintf("line %d", n.line) }

// aliases are the names by which the XML of FusionInventory and OCS call what GLPI's JSON calls otherwise, within their
// section: this is all in which the formats differ here.
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

// machine is a computer's inventory on the way to its document.
type machine struct {
	doc     Document
	content map[string][]*node // the entries of the file by section
	order   []string           // the names of the file's sections, as they come
	taken   map[string]bool
	partial bool // the file has some sections of the machine only
}

func newMachine(content *node) *machine {
	m := &machine{content: map[string][]*node{}, taken: map[string]bool{}}
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

// entries gives the entries of a section of the file.
func (m *machine) entries(section string) []*node {
	m.taken[section] = true
	return m.content[section]
}

// single gives the entry of a section that has one only; nil where the file does not have it.
func (m *machine) single(section string) *node {
	first := !m.taken[section]
	entries := m.entries(section)
	if len(entries) == 0 {
		return nil
	}
	if len(entries) > 1 && first {
		m.warnf(entries[1], "a second %s: it is left out", section)
	}
	return entries[0]
}

func (m *machine) warnf(n *node, format string, args ...any) {
	m.doc.Warnings = append(m.doc.Warnings, fmt.Sprintf("line %d: ", n.line)+fmt.Sprintf(format, args...))
}

// describe fills the document in.
func (m *machine) describe() {
	for _, s := range sections {
		if m.has(s.from) || s.sparse && !m.partial {
			m.collect(s)
		}
	}
	m.name()
	m.users()
	m.virtualMachines()
	m.printers()
	m.untaken()
}

func (m *machine) has(names []string) bool {
	for _, name := range names {
		if len(m.content[name]) > 0 {
			return true
		}
	}
	return false
}

// name says how the machine is called where no section os does: GLPI's partial inventories have the name without the
// operating system.
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

// aboutMessage are the sections that tell of the message or the agent, not of the machine.
var aboutMessage = map[string]bool{
	"accesslog": true, "versionclient": true, "versionprovider": true, "download": true, "etag": true,
}

// untaken says which sections of the file nothing was taken of.
func (m *machine) untaken() {
	var names []string
	for _, name := range m.order {
		if !m.taken[name] && !aboutMessage[name] {
			names = append(names, fmt.Sprintf("%s (%d)", name, len(m.content[name])))
		}
	}
	if len(names) > 0 {
		m.doc.Warnings = append(m.doc.Warnings, "left out, for there is no place for them: "+strings.Join(names, ", "))
	}
}
