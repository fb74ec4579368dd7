package virtualmachine

import (
	"cmp"
	"encoding/json"
	"path"
	"strconv"
	"strings"

	"google.golang.org/protobuf/proto"

	inventoryv1 "github.com/musterhq/muster/proto/muster/inventory/v1"
)

// emulators marks the machines that QEMU processes run as running, and adds those that no manager
// lists.
func (s *survey) emulators() {
	for _, p := range s.processes {
		if !emulator(p.program) {
			continue
		}
		m := parseQEMU(p.arguments)
		if m == nil {
			continue
		}
		known := s.managed(m)
		if known == nil {
			s.add(m)
			known = m
		}
		known.State = cmp.Or(known.State, running)
	}
}

// managed returns the machine of a manager that a process runs, or nil.
func (s *survey) managed(m *inventoryv1.VirtualMachine) *inventoryv1.VirtualMachine {
	for _, known := range s.machines {
		same := m.Uuid != "" && (m.Uuid == known.Uuid || m.Uuid == known.FirmwareUuid) || m.Id != "" && m.Id == known.Id
		if same && known.Manager != "" {
			return known
		}
	}
	return nil
}

// commandLine holds the options of QEMU that are used (qemu-system-x86_64(1)). The last of repeated
// options counts.
type commandLine struct {
	name        string
	uuid        string
	id          string // the number that Proxmox VE assigns
	accelerator string
	board       string
	xenDomain   string
	cpus        *uint32
	memory      *uint64
	macs        []string
}

// parseQEMU describes the machine that a command line starts. It returns nil if the process runs no
// machine: libvirt starts QEMU to query its features, and Xen starts it to serve disks.
func parseQEMU(arguments []string) *inventoryv1.VirtualMachine {
	var c commandLine
	if strings.HasSuffix(path.Base(arguments[0]), "kvm") {
		c.accelerator = "kvm"
	}
	for i, argument := range arguments[1:] {
		value := ""
		if i+2 < len(arguments) {
			value = arguments[i+2]
		}
		if option, found := strings.CutPrefix(argument, "-"); found {
			c.take(strings.TrimPrefix(option, "-"), value)
		}
	}
	if c.board == "none" || c.xenDomain == "0" {
		return nil
	}
	m := &inventoryv1.VirtualMachine{
		Uuid: c.uuid, Name: c.name, Kind: "qemu", Cpus: c.cpus, MemoryBytes: c.memory, Macs: parseMACs(c.macs),
	}
	if m.Uuid == "" {
		m.Id = c.id
	}
	switch {
	case c.xenDomain != "" || c.accelerator == "xen":
		m.Kind = "xen"
	case c.accelerator == "kvm":
		m.Kind = "kvm"
	}
	return m
}

func (c *commandLine) take(option, value string) {
	switch option {
	case "name":
		c.name = parseOptions(value, "guest")["guest"]
	case "uuid":
		c.uuid = parseUUID(value)
	case "smbios":
		if uuid := parseOptions(value, "")["uuid"]; uuid != "" { // of type 1, the system
			c.uuid = parseUUID(uuid)
		}
	case "id":
		c.id = value
	case "m":
		c.memory = parseSize(parseOptions(value, "size")["size"])
	case "smp":
		c.cpus = parseCount(parseOptions(value, "cpus")["cpus"])
	case "enable-kvm":
		c.accelerator = "kvm"
	case "accel":
		c.accelerator = parseOptions(value, "accel")["accel"]
	case "machine", "M":
		machine := parseOptions(value, "type")
		accelerator, _, _ := strings.Cut(machine["accel"], ":") // the first one that works is used
		c.accelerator, c.board = cmp.Or(accelerator, c.accelerator), cmp.Or(machine["type"], c.board)
	case "xen-domid":
		c.xenDomain = value
	default:
		c.macs = append(c.macs, macOf(option, value))
	}
}

// macOf returns the hardware address in an option that adds an interface.
func macOf(option, value string) string {
	switch option {
	case "device":
		var device struct {
			MAC string `json:"mac"`
		}
		if strings.HasPrefix(value, "{") && json.Unmarshal([]byte(value), &device) == nil {
			return device.MAC
		}
		return parseOptions(value, "driver")["mac"]
	case "nic":
		return parseOptions(value, "type")["mac"]
	case "net":
		return parseOptions(value, "type")["macaddr"]
	}
	return ""
}

// parseOptions reads "value,name=value,…". The first value may belong to the implied name; two
// commas are one comma of a value.
func parseOptions(text, implied string) map[string]string {
	const comma = "\x00" // no argument contains it
	options := map[string]string{}
	for i, part := range strings.Split(strings.ReplaceAll(text, ",,", comma), ",") {
		name, value, found := strings.Cut(part, "=")
		if !found && i == 0 {
			name, value = implied, part
		}
		options[name] = strings.ReplaceAll(value, comma, ",")
	}
	return options
}

// Upper bounds of plausible machines.
const (
	maxMemory = 1 << 62
	maxCPUs   = 1 << 12
)

// parseSize reads a size in MiB, or in the unit of its last letter.
func parseSize(text string) *uint64 {
	unit := uint64(1 << 20)
	if text != "" {
		shift := strings.IndexByte("BKMGTP", text[len(text)-1]&^0x20)
		if shift >= 0 {
			unit, text = 1<<(10*shift), text[:len(text)-1]
		}
	}
	size, err := strconv.ParseFloat(text, 64)
	if err != nil || !(size > 0 && size*float64(unit) < maxMemory) {
		return nil
	}
	return proto.Uint64(uint64(size * float64(unit)))
}

// parseCount reads a number above 0.
func parseCount(text string) *uint32 {
	n, err := strconv.ParseUint(strings.TrimSpace(text), 10, 32)
	if err != nil || n == 0 {
		return nil
	}
	return proto.Uint32(uint32(n))
}
