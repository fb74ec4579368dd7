package main

import (
	"fmt"
	"math/rand/v2"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	inventoryv1 "github.com/musterhq/muster/proto/muster/inventory/v1"
)

// pciDevices is the number of functions on the PCI bus of a typical notebook.
const pciDevices = 22

// pci returns the functions on the bus. Machines of one model have the same.
func (m model) pci() []proto.Message {
	list := make([]proto.Message, pciDevices)
	for i := range list {
		list[i] = &inventoryv1.PciDevice{
			Address: fmt.Sprintf("0000:00:%02x.0", i), VendorId: "8086", DeviceId: fmt.Sprintf("%04x", 0xa700+i),
			SubsystemVendorId: "1028", SubsystemId: fmt.Sprintf("%04x", 0x0b00+m.cores), Class: "060000",
			Revision: "01", Driver: "pcieport",
		}
	}
	return list
}

func (m model) gpu() *inventoryv1.Gpu {
	return &inventoryv1.Gpu{
		BusPath: "0000:00:02.0", VendorId: "8086", DeviceId: "a7a0", SubsystemVendorId: "1028",
		SubsystemId: fmt.Sprintf("%04x", 0x0b00+m.cores), Driver: "i915",
	}
}

// usb returns what the model has built in, and a dock of which the serial number is unique.
func (m model) usb(random *rand.Rand) []proto.Message {
	device := func(path, product, name string, builtIn bool) *inventoryv1.UsbDevice {
		return &inventoryv1.UsbDevice{
			BusPath: path, VendorId: "0bda", ProductId: product, Name: name, Manufacturer: "Example", Class: "ef",
			InterfaceClasses: []string{"0e", "fe"}, Revision: "0100", Removable: proto.Bool(!builtIn),
			SpeedMbps: proto.Uint32(480),
		}
	}
	dock := device("2-1", "8153", "Dock", false)
	dock.SerialNumber = text(random, 12)
	return []proto.Message{
		device("1-6", "5556", "Integrated Camera", true), device("1-10", "0026", "Bluetooth", true),
		device("1-2", "c31c", "Keyboard", false), device("1-3", "c077", "Mouse", false), dock,
	}
}

// batteries returns the battery of a notebook; its serial number is unique.
func (m model) batteries(random *rand.Rand) []proto.Message {
	if !m.portable() {
		return nil
	}
	return []proto.Message{&inventoryv1.Battery{
		SerialNumber: text(random, 8), Manufacturer: "SMP", Model: "DELL 7XHVM", Chemistry: "Li-ion",
		DesignCapacityMwh: proto.Uint32(57000), FullCapacityMwh: proto.Uint32(40000 + random.Uint32N(17000)),
		CycleCount: proto.Uint32(random.Uint32N(600)), ChargePercent: proto.Uint32(random.Uint32N(101)),
		State: "discharging",
	}}
}

// printers returns two of the organization's twenty queues.
func printers(random *rand.Rand) []proto.Message {
	first := random.IntN(10)
	list := make([]proto.Message, 2)
	for i := range list {
		name := fmt.Sprintf("floor-%d", first+i*10)
		list[i] = &inventoryv1.Printer{
			Name: name, Driver: "Example Laser 4000 - IPP Everywhere", Uri: "ipps://print.example.org/printers/" + name,
			Location: "Building A", IsNetwork: proto.Bool(true), IsDefault: proto.Bool(i == 0),
			IsShared: proto.Bool(false),
		}
	}
	return list
}

// management returns the directory and the device management that all machines belong to.
func (f *fleet) management(serial string) []proto.Message {
	return []proto.Message{
		&inventoryv1.Management{
			Type: "directory", Provider: "active_directory", Domain: "contoso.example", Client: "sssd",
			Realm: "CONTOSO.EXAMPLE", Enrolled: proto.Bool(true),
		},
		&inventoryv1.Management{
			Type: "configuration", Provider: "puppet", ServerUrl: "puppet.contoso.example", DeviceId: "pc-" + serial,
			Enrolled: proto.Bool(true), LastContact: timestamppb.New(f.imaged),
		},
	}
}

// patches returns the kernel patch of the image.
func (f *fleet) patches() []proto.Message {
	return []proto.Message{&inventoryv1.Patch{
		Id: "livepatch_52", Source: "livepatch", Kind: "security", State: "installed",
		InstalledOn: timestamppb.New(f.imaged),
	}}
}

// groups returns the image's groups. The owner of the machine is an administrator on one of ten.
func groups(machine int) []proto.Message {
	owner := fmt.Sprintf("e%06d", machine)
	admins := &inventoryv1.Group{Name: "sudo", Id: "27", Members: []string{"support"}, IsAdmin: proto.Bool(true)}
	if machine%10 == 0 {
		admins.Members = []string{owner, "support"}
	}
	return []proto.Message{
		admins,
		&inventoryv1.Group{Name: "plugdev", Id: "46", Members: []string{owner}, IsAdmin: proto.Bool(false)},
		&inventoryv1.Group{Name: "backup", Id: "34", Members: []string{"backup"}, IsAdmin: proto.Bool(false)},
	}
}

func (f *fleet) session(machine int) *inventoryv1.Session {
	return &inventoryv1.Session{
		User: fmt.Sprintf("e%06d", machine), Domain: "CONTOSO", Type: "console", Display: "wayland",
		Service: "gdm-password", Since: timestamppb.New(f.imaged), State: "active", Sessions: proto.Uint32(1),
	}
}

// protections returns the image's protections. On one machine of ten the disk is not encrypted.
func protections(machine int) []proto.Message {
	list := []proto.Message{}
	for _, control := range []string{
		"secure_boot", "tpm", "firewall", "mandatory_access_control", "kernel_lockdown", "automatic_updates",
		"remote_login",
	} {
		list = append(list, &inventoryv1.SecurityPosture{Control: control, State: "on", Enabled: proto.Bool(true)})
	}
	encrypted := machine%10 != 0
	state := map[bool]string{true: "on", false: "off"}[encrypted]
	return append(list,
		&inventoryv1.SecurityPosture{Control: "disk_encryption", Product: "luks", State: state, Enabled: &encrypted})
}
