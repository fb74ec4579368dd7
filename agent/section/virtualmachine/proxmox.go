package virtualmachine

import (
	"fmt"
	"path"
	"strings"

	"google.golang.org/protobuf/proto"

	inventoryv1 "github.com/musterhq/muster/proto/muster/inventory/v1"
)

// Where Proxmox VE keeps the machines of this node. Its cluster file system is mounted there.
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
		s.fail(fmt.Errorf("virtual machines of Proxmox VE, whose file system may not be mounted: %w", err))
		return
	}
	s.found = true
	s.each(proxmoxMachines, ".conf", func(name string, text []byte) error {
		m := parseProxmox(string(text))
		if m.Uuid == "" {
			m.Id = strings.TrimSuffix(path.Base(name), ".conf")
		}
		m.ConfigPath = name
		s.add(m)
		return nil
	})
}

// parseProxmox reads lines "name: value" (qm.conf(5)) up to the first section, which is a snapshot or what is to change.
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
		Uuid: parseUUID(parseOptions(values["smbios1"], "")["uuid"]), Name: values["name"], Kind: "kvm", Manager: "proxmox",
		Cpus: proxmoxCPUs(values), MemoryBytes: parseSize(parseOptions(values["memory"], "current")["current"]), Macs: parseMACs(macs),
	}
	if values["kvm"] == "0" {
		m.Kind = "qemu"
	}
	return m
}

// proxmoxMAC finds the address in "model=address,bridge=…", where macaddr may stand for the model's name.
func proxmoxMAC(value string) string {
	for option := range strings.SplitSeq(value, ",") {
		if _, address, _ := strings.Cut(option, "="); len(parseMACs([]string{address})) > 0 {
			return address
		}
	}
	return ""
}

// proxmoxCPUs gives the processors that are plugged in: all of those of the sockets, of which there is one with one core
// where nothing else is said.
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
