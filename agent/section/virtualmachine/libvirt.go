package virtualmachine

import (
	"encoding/xml"
	"maps"
	"slices"
	"strconv"
	"strings"

	"google.golang.org/protobuf/proto"

	inventoryv1 "github.com/musterhq/muster/proto/muster/inventory/v1"
)

// domain is libvirt's definition of a machine (libvirt.org/formatdomain.html).
type domain struct {
	XMLName xml.Name `xml:"domain"`
	Type    string   `xml:"type,attr"`
	Name    string   `xml:"name"`
	UUID    string   `xml:"uuid"`
	HWUUID  string   `xml:"hwuuid"` // since libvirt 11.7
	Memory  struct {
		Unit string `xml:"unit,attr"`
		Size string `xml:",chardata"`
	} `xml:"memory"`
	CPUs struct {
		Current string `xml:"current,attr"`
		Most    string `xml:",chardata"`
	} `xml:"vcpu"`
	Interfaces []struct {
		MAC struct {
			Address string `xml:"address,attr"`
		} `xml:"mac"`
	} `xml:"devices>interface"`
}

// domainStatus is libvirt's status file of a running machine.
type domainStatus struct {
	XMLName xml.Name `xml:"domstatus"`
	State   string   `xml:"state,attr"`
	PID     int      `xml:"pid,attr"`
	Domain  domain   `xml:"domain"`
}

// The directories of libvirt's machines: of the system, and of a user below the home. The status of
// running machines is below the home or in the directory of the session.
const (
	systemDomains = "/etc/libvirt/qemu"
	systemStatus  = "/run/libvirt/qemu"
	userDomains   = "/.config/libvirt/qemu"
	userStatus    = "/.cache/libvirt/qemu/run"
	sessions      = "/run/user"
	sessionStatus = "/libvirt/qemu/run"
)

// source is a directory of libvirt.
type source struct {
	place
	directory string
}

// libvirt adds the machines of libvirt: those that are defined, with their running state if they
// run, and those that run without a definition.
func (s *survey) libvirt() {
	alive := s.libvirtStatus()
	sources := []source{{s.system(), systemDomains}}
	for _, home := range s.homes {
		sources = append(sources, source{home, home.Dir() + userDomains})
	}
	for _, from := range sources {
		s.each(from.place, from.directory, ".xml", func(name string, text []byte) error {
			var d domain
			if err := xml.Unmarshal(text, &d); err != nil {
				return err
			}
			m := d.machine()
			if now := alive[m.Uuid]; now != nil {
				delete(alive, m.Uuid)
				m = now
			}
			m.ConfigPath = name
			s.add(m)
			return nil
		})
	}
	for _, uuid := range slices.Sorted(maps.Keys(alive)) {
		s.add(alive[uuid])
	}
}

// libvirtStatus returns the running machines by UUID. It leaves out status files whose process has
// ended, which libvirt could not remove.
func (s *survey) libvirtStatus() map[string]*inventoryv1.VirtualMachine {
	sources := []source{{s.system(), systemStatus}}
	for _, home := range s.homes {
		sources = append(sources, source{home, home.Dir() + userStatus})
	}
	for _, session := range s.sessions {
		sources = append(sources, source{session, session.Dir() + sessionStatus})
	}
	alive := map[string]*inventoryv1.VirtualMachine{}
	for _, from := range sources {
		s.each(from.place, from.directory, ".xml", func(_ string, text []byte) error {
			var now domainStatus
			if err := xml.Unmarshal(text, &now); err != nil {
				return err
			}
			m := now.Domain.machine()
			m.State = libvirtStates[now.State]
			if m.Uuid != "" && s.runs(now.PID, m.Uuid) {
				alive[m.Uuid] = m
			}
			return nil
		})
	}
	return alive
}

// libvirtStates maps the states in which a machine has a process (virDomainState).
var libvirtStates = map[string]string{
	"running": running, "blocked": running, "shutdown": running, "paused": paused,
	"crashed": "crashed", "pmsuspended": "suspended",
}

func (d domain) machine() *inventoryv1.VirtualMachine {
	var macs []string
	for _, i := range d.Interfaces {
		macs = append(macs, i.MAC.Address)
	}
	m := &inventoryv1.VirtualMachine{
		Uuid: parseUUID(d.UUID), Name: strings.TrimSpace(d.Name), Kind: d.Type, Manager: "libvirt",
		Cpus: parseCount(d.CPUs.Current), MemoryBytes: d.memory(), Macs: parseMACs(macs),
	}
	if m.Cpus == nil {
		m.Cpus = parseCount(d.CPUs.Most)
	}
	if firmware := parseUUID(d.HWUUID); firmware != m.Uuid {
		m.FirmwareUuid = firmware
	}
	return m
}

// memoryUnits are the units that libvirt accepts, in bytes. It writes KiB.
var memoryUnits = map[string]uint64{
	"": 1 << 10, "b": 1, "bytes": 1, "KB": 1e3, "k": 1 << 10, "KiB": 1 << 10, "MB": 1e6, "M": 1 << 20, "MiB": 1 << 20,
	"GB": 1e9, "G": 1 << 30, "GiB": 1 << 30, "TB": 1e12, "T": 1 << 40, "TiB": 1 << 40,
}

func (d domain) memory() *uint64 {
	size, err := strconv.ParseUint(strings.TrimSpace(d.Memory.Size), 10, 64)
	unit := memoryUnits[d.Memory.Unit]
	if err != nil || size == 0 || unit == 0 || size > maxMemory/unit {
		return nil
	}
	return proto.Uint64(size * unit)
}
