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

// emulators says of the machines that QEMU runs that they run, and adds those that nobody told of.
func (s *survey) emulators() {
	for _, p := range s.processes {
		if !p.emulator() {
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

// managed gives the machine of a manager that a process is of, nil for none.
func (s *survey) managed(m *inventoryv1.VirtualMachine) *inventoryv1.VirtualMachine {
	for _, known := range s.machines {
		same := m.Uuid != "" && (m.Uuid == known.Uuid || m.Uuid == known.FirmwareUuid) || m.Id != "" && m.Id == known.Id
		if same && known.Manager != "" {
			return known
		}
	}
	return nil
}

// commandLine is what the options of QEMU say (qemu-system-x86_64(1)); of those that are there twice the last one.
type commandLine struct {
	name        string
	uuid        string
	id          string // the number that Proxmox VE gives
	accelerator string
	board       string
	xenDomain   string
	cpus        *uint32
	memory      *uint64
	macs        []string
}

// parseQEMU describes the machine that a command line starts; nil where it starts none: to tell libvirt what QEMU can, or
// to serve disks to the machines of Xen.
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
		accelerator, _, _ := strings.Cut(machine["accel"], ":") // of several the first that works
		c.accelerator, c.board = cmp.Or(accelerator, c.accelerator), cmp.Or(machine["type"], c.board)
	case "xen-domid":
		c.xenDomain = value
	default:
		c.macs = append(c.macs, macOf(option, value))
	}
}

// macOf gives the hardware address in an option that adds an interface.
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

// parseOptions reads "value,name=value,…", where the first value may be that of the implied name and two commas stand for
// one in a value.
func parseOptions(text, implied string) map[string]string {
	const comma = "\x00" // which no argument has
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

// What bounds a machine that makes sense.
const (
	maxMemory = 1 << 62
	maxCPUs   = 1 << 12
)

// parseSize reads a size in MiB, or in what its last letter says.
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
