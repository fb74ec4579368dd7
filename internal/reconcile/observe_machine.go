package reconcile

import (
	"strings"

	"github.com/musterhq/muster/internal/inventory"
)

// systemFacts are the facts of the section system that Observe reads.
type systemFacts struct {
	Manufacturer        string  `json:"manufacturer"`
	ProductName         string  `json:"product_name"`
	SerialNumber        string  `json:"serial_number"`
	UUID                string  `json:"uuid"`
	AssetTag            string  `json:"asset_tag"`
	ChassisType         string  `json:"chassis_type"`
	ChassisTypeCode     *uint32 `json:"chassis_type_code"`
	ChassisManufacturer string  `json:"chassis_manufacturer"`
	ChassisSerial       string  `json:"chassis_serial"`
	BoardManufacturer   string  `json:"board_manufacturer"`
	BoardSerial         string  `json:"board_serial"`
	IsVirtual           bool    `json:"is_virtual"`
	Hypervisor          string  `json:"hypervisor"`
	ContainerType       string  `json:"container_type"`
}

// interfaceFacts are the facts of the section network_interface that Observe reads.
type interfaceFacts struct {
	MAC          string   `json:"mac"`
	PermanentMAC string   `json:"permanent_mac"`
	Type         string   `json:"type"`
	IsVirtual    bool     `json:"is_virtual"`
	Addresses    []string `json:"addresses"`
	Gateways     []string `json:"gateways"`
	GatewayMACs  []string `json:"gateway_macs"`
}

func (m machine) class() string {
	switch {
	case m.system.ContainerType != "":
		return inventory.ClassContainer
	case m.system.IsVirtual:
		return inventory.ClassVirtualMachine
	default:
		return chassisClass(m.system.ChassisTypeCode, m.system.ChassisType)
	}
}

func (m machine) attributes() inventory.Attributes {
	a := attributes{}
	if m.system.ContainerType == "" {
		m.hardware(a)
	}
	a.text("container_type", m.system.ContainerType)
	a.text("name", m.os.Hostname)
	a.text("hostname", m.os.Hostname)
	a.text("fqdn", m.os.FQDN)
	m.os.describe(a)
	return inventory.Attributes(a)
}

// hardware sets the attributes of the hardware.
func (m machine) hardware(a attributes) {
	a.text("manufacturer", m.genuine("manufacturer", m.system.Manufacturer))
	a.text("model", m.genuine("model", m.system.ProductName))
	a.text("serial_number", m.serialNumber())
	a.text("uuid", m.genuine("uuid", m.system.UUID))
	a.text("asset_tag", m.genuine("asset_tag", m.system.AssetTag))
	a.text("chassis_type", m.system.ChassisType)
	a.text("hypervisor", m.system.Hypervisor)
}

// serialNumber returns the system's serial number. Some Dell machines have their service tag only
// in the chassis.
func (m machine) serialNumber() string {
	if serial := m.genuine("serial_number", m.system.SerialNumber); serial != "" {
		return serial
	}
	maker := strings.ToLower(strings.TrimSpace(m.system.Manufacturer))
	if !strings.HasPrefix(maker, "dell ") ||
		!strings.EqualFold(maker, strings.TrimSpace(m.system.ChassisManufacturer)) {
		return ""
	}
	return m.genuine("serial_number", m.system.ChassisSerial)
}

func (m machine) identifiers() inventory.RawIdentifiers {
	ids := inventory.RawIdentifiers{
		Manufacturer:        m.system.Manufacturer,
		Model:               m.system.ProductName,
		SerialNumber:        m.system.SerialNumber,
		UUID:                m.system.UUID,
		BoardManufacturer:   m.system.BoardManufacturer,
		BoardSerial:         m.system.BoardSerial,
		ChassisManufacturer: m.system.ChassisManufacturer,
		ChassisSerial:       m.system.ChassisSerial,
		OSInstallID:         m.os.InstallID,
		Hostname:            m.os.Hostname,
		FQDN:                m.os.FQDN,
		Virtual:             m.system.IsVirtual,
		Container:           m.system.ContainerType,
	}
	for _, i := range m.interfaces {
		ids.Interfaces = append(ids.Interfaces,
			inventory.InterfaceID{MAC: i.MAC, Permanent: i.PermanentMAC, Type: i.Type, Virtual: i.IsVirtual})
	}
	for _, d := range m.disks {
		ids.Disks = append(ids.Disks, d.id())
	}
	return ids
}

// ownHardware reports whether the hardware that the machine sees is real and its own.
func (m machine) ownHardware() bool { return m.system.ContainerType == "" && !m.system.IsVirtual }
