package virtualmachine

import (
	"cmp"
	"encoding/xml"
	"path"
	"strings"

	"google.golang.org/protobuf/proto"

	"github.com/musterhq/muster/agent/host"
	inventoryv1 "github.com/musterhq/muster/proto/muster/inventory/v1"
)

// boxRegistries are the directories of VirtualBox's list of a user's machines, relative to the
// home: on Linux; on Windows and formerly on Linux; on macOS.
var boxRegistries = []string{"/.config/VirtualBox", "/.VirtualBox", "/Library/VirtualBox"}

// boxRegistry is VirtualBox.xml, the list of machines.
type boxRegistry struct {
	XMLName  xml.Name   `xml:"VirtualBox"`
	Machines []boxEntry `xml:"Global>MachineRegistry>MachineEntry"`
}

type boxEntry struct {
	UUID   string `xml:"uuid,attr"`
	Source string `xml:"src,attr"`
}

// boxFile is VirtualBox's definition of a machine. That of an encrypted machine has fewer fields.
type boxFile struct {
	XMLName   xml.Name   `xml:"VirtualBox"`
	Machine   boxMachine `xml:"Machine"`
	Encrypted boxMachine `xml:"MachineEncrypted"`
}

type boxMachine struct {
	Name      string `xml:"name,attr"`
	StateFile string `xml:"stateFile,attr"`
	Hardware  struct {
		UUID string `xml:"uuid,attr"`
		CPU  *struct {
			Count string `xml:"count,attr"`
		} `xml:"CPU"`
		Memory struct {
			Size string `xml:"RAMSize,attr"` // MiB
		} `xml:"Memory"`
		Adapters []struct {
			Enabled bool   `xml:"enabled,attr"`
			MAC     string `xml:"MACAddress,attr"`
		} `xml:"Network>Adapter"`
	} `xml:"Hardware"`
}

// virtualBox adds the machines of VirtualBox.
func (s *survey) virtualBox() {
	for _, home := range s.homes {
		for _, folder := range boxRegistries {
			s.one(home, home.Dir()+folder+"/VirtualBox.xml", func(_ string, text []byte) error {
				s.found = true
				var registry boxRegistry
				if err := xml.Unmarshal(text, &registry); err != nil {
					return err
				}
				for _, entry := range registry.Machines {
					s.box(home, folder, entry)
				}
				return nil
			})
		}
	}
}

// box adds a machine of the list, also if its file does not exist, because its disk may be
// elsewhere, or may not be read on behalf of the user, who writes the list.
func (s *survey) box(home *host.Home, folder string, entry boxEntry) {
	file := boxPath(home.Dir()+folder, entry.Source)
	m := &inventoryv1.VirtualMachine{
		Uuid: parseUUID(entry.UUID), Kind: "virtualbox", Manager: "virtualbox", ConfigPath: file,
	}
	there := !s.mounts.Remote(file) && s.one(home, file, func(_ string, text []byte) error {
		var f boxFile
		if err := xml.Unmarshal(text, &f); err != nil {
			return err
		}
		f.describe(m)
		s.add(m)
		return nil
	})
	if !there {
		s.add(m)
	}
	for _, p := range s.processes {
		if started := p.startedVM(); started != "" && (parseUUID(started) == m.Uuid || started == m.Name) {
			m.State = running
		}
	}
}

// boxPath returns the path of a machine's file, which may be relative to the list. The list may use
// backslashes.
func boxPath(folder, source string) string {
	drive := len(source) > 1 && source[1] == ':'
	if path.IsAbs(source) {
		return source
	}
	source = strings.ReplaceAll(source, `\`, "/")
	if drive || path.IsAbs(source) {
		return source
	}
	return folder + "/" + source
}

func (f boxFile) describe(m *inventoryv1.VirtualMachine) {
	m.Name = cmp.Or(f.Machine.Name, f.Encrypted.Name)
	if cmp.Or(f.Machine.StateFile, f.Encrypted.StateFile) != "" {
		m.State = saved
	}
	hardware := f.Machine.Hardware
	if hardware.CPU != nil {
		m.Cpus = cmp.Or(parseCount(hardware.CPU.Count), proto.Uint32(1))
	}
	m.MemoryBytes = parseSize(hardware.Memory.Size)
	if firmware := parseUUID(hardware.UUID); firmware != m.Uuid {
		m.FirmwareUuid = firmware
	}
	var macs []string
	for _, adapter := range hardware.Adapters {
		if adapter.Enabled {
			macs = append(macs, adapter.MAC)
		}
	}
	m.Macs = parseMACs(macs)
}
