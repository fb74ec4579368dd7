package importer

import (
	"strings"

	"google.golang.org/protobuf/proto"

	inventoryv1 "github.com/musterhq/muster/proto/muster/inventory/v1"
)

func (m *machine) system() []entry {
	bios, hardware := m.single("bios"), m.single("hardware")
	item := &inventoryv1.System{
		Manufacturer:      bios.get("smanufacturer"),
		ProductName:       bios.get("smodel"),
		SerialNumber:      bios.get("ssn"),
		Uuid:              strings.ToLower(hardware.get("uuid")),
		SkuNumber:         bios.get("skunumber"),
		AssetTag:          bios.get("assettag"),
		ChassisType:       hardware.get("chassis_type"),
		ChassisSerial:     bios.get("enclosureserial"),
		BoardManufacturer: bios.get("mmanufacturer"),
		BoardProduct:      bios.get("mmodel"),
		BoardSerial:       bios.get("msn"),
	}
	if item.ChassisType == "" {
		item.ChassisType = bios.get("chassis_type")
	}
	item.ChassisTypeCode = chassisCode(item.ChassisType)
	virtualize(item, hardware.get("vmsystem"))
	return []entry{{item, hardware}}
}

// chassisTypes are the names of SMBIOS 3.7 §7.4.1, from code 1, in lower case: agents take them
// from there.
var chassisTypes = []string{
	"other", "unknown", "desktop", "low profile desktop", "pizza box", "mini tower", "tower", "portable", "laptop",
	"notebook", "hand held", "docking station", "all in one", "sub notebook", "space-saving", "lunch box",
	"main server chassis", "expansion chassis", "sub chassis", "bus expansion chassis", "peripheral chassis",
	"raid chassis", "rack mount chassis", "sealed-case pc", "multi-system", "compactpci", "advancedtca", "blade",
	"blade enclosing", "tablet", "convertible", "detachable", "iot gateway", "embedded pc", "mini pc", "stick pc",
}

func chassisCode(name string) *uint32 {
	for i, known := range chassisTypes {
		if strings.EqualFold(name, known) {
			return proto.Uint32(uint32(i) + 1)
		}
	}
	return nil
}

// Hypervisors and containers by the agents' names, in lower case. "Physical" is missing: agents
// write it when they detect nothing, which proves nothing.
var (
	hypervisors = map[string]string{
		"vmware": "vmware", "qemu": "qemu", "kvm": "kvm", "xen": "xen", "hyper-v": "hyperv", "virtualbox": "virtualbox",
		"parallels": "parallels", "bhyve": "bhyve", "virtual machine": "",
	}
	containers = map[string]string{
		"docker": "docker", "lxc": "lxc", "lxd": "lxc", "podman": "podman", "openvz": "openvz", "virtuozzo": "openvz",
		"vserver": "vserver", "systemd-nspawn": "systemd-nspawn", "bsdjail": "jail", "jail": "jail",
		"solariszone": "zone", "solariszones": "zone", "zone": "zone",
	}
)

func virtualize(item *inventoryv1.System, vmSystem string) {
	vmSystem = strings.ToLower(vmSystem)
	if container, is := containers[vmSystem]; is {
		item.ContainerType = container
	}
	if hypervisor, is := hypervisors[vmSystem]; is {
		item.IsVirtual, item.Hypervisor = proto.Bool(true), hypervisor
	}
}

func (m *machine) firmware() []entry {
	bios := m.single("bios")
	item := &inventoryv1.Firmware{
		Vendor:      bios.get("bmanufacturer"),
		Version:     bios.get("bversion"),
		ReleaseDate: bios.get("bdate"),
	}
	switch bios.get("secure_boot") {
	case "enabled":
		item.SecureBoot = proto.Bool(true)
	case "disabled":
		item.SecureBoot = proto.Bool(false)
	}
	return []entry{{item, bios}}
}
