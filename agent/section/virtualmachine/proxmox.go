package virtualmachine

import (
	"fmt"
	"path"
	"strings"

	"google.golang.org/protobuf/proto"

	inventoryv1 "github.com/musterhq/muster/proto/muster/inventory/v1"
)

// The directories of Proxmox VE's cluster file system that contain the machines of this node.
const (
	proxmoxDirectory = "/etc/pve"
	proxmoxMachines  = proxmoxDirectory + "/qemu-server"
)

// proxmox adds the machines of Proxmox VE.
func (s *survey) proxmox() {
	if _, err := s.host.Stat(proxmoxDirectory); absent(err) {
		return
	}
	if _, err := s.host.Stat(proxmoxMachines); err != nil {
		s.fail(fmt.Errorf("virtual machines of Proxmox VE (is its cluster file system mounted?): %w", err))
		return
	}
	s.found = true
	s.each(s.system(), proxmoxMachines, ".conf", func(name string, text []byte) error {
		m := parseProxmox(string(text))
		if m.Uuid == "" {
			m.Id = strings.TrimSuffix(path.Base(name), ".conf")
		}
		m.ConfigPath = name
		s.add(m)
		return nil
	})
}

// parseProxmox reads lines "name: value" (qm.conf(5)) up to the first section, which is a snapshot
// or a pending change.
func parseProxmox(text string) *inventoryv1.VirtualMachine {
	values := map[string]string{}
	var macs []string
	for line := range strings.Lines(text) {
		if strings.HasPrefix(line, "[") {
			break
		}
		name, value, _ := strings.Cut(line, ":")
		value = strings.TrimSpace(value)
		values[name] = value
		if strings.HasPrefix(name, "net") {
			macs = append(macs, proxmoxMAC(value))
		}
	}
	m := &inventoryv1.VirtualMachine{
		Uuid:        parseUUID(parseOptions(values["smbios1"], "")["uuid"]),
		Name:        values["name"],
		Kind:        "kvm",
		Manager:     "proxmox",
		Cpus:        proxmoxCPUs(values),
		MemoryBytes: parseSize(parseOptions(values["memory"], "current")["current"]),
		Macs:        parseMACs(macs),
	}
	if values["kvm"] == "0" {
		m.Kind = "qemu"
	}
	return m
}

// proxmoxMAC finds the address in "model=address,bridge=…". The name may be "macaddr" instead of a
// model.
func proxmoxMAC(value string) string {
	for option := range strings.SplitSeq(value, ",") {
		if _, address, _ := strings.Cut(option, "="); len(parseMACs([]string{address})) > 0 {
			return address
		}
	}
	return ""
}

// proxmoxCPUs returns the number of plugged virtual processors: "vcpus", else sockets times cores,
// each 1 by default.
func proxmoxCPUs(values map[string]string) *uint32 {
	if plugged := parseCount(values["vcpus"]); plugged != nil {
		return plugged
	}
	total := uint32(1)
	for _, name := range []string{"sockets", "cores"} {
		if n := parseCount(values[name]); n != nil {
			total *= min(*n, maxCPUs)
		}
	}
	return proto.Uint32(total)
}
