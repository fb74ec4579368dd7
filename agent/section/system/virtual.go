package system

import (
	"bytes"
	"errors"
	"io"
	"slices"
	"strings"

	"github.com/musterhq/muster/agent/host"
	inventoryv1 "github.com/musterhq/muster/proto/muster/inventory/v1"
)

// virtualMachine is what the firmware of a hypervisor's machines says: the beginnings of manufacturer and product,
// where empty is anything.
type virtualMachine struct {
	manufacturer string
	product      string
	hypervisor   string // empty where the maker uses several
}

// virtualMachines lists the machines that are virtual by their names. Names that their makers also give to
// machines of metal are not among them.
var virtualMachines = []virtualMachine{
	{"QEMU", "", "qemu"},
	{"KubeVirt", "", "kvm"},
	{"Red Hat", "KVM", "kvm"},
	{"Nutanix", "AHV", "kvm"},
	{"OpenStack", "OpenStack Nova", ""},
	{"VMware", "", "vmware"},
	{"VMW", "", "vmware"},
	{"innotek GmbH", "", "virtualbox"},
	{"", "VirtualBox", "virtualbox"},
	{"Microsoft Corporation", "Virtual Machine", "hyperv"},
	{"Xen", "", "xen"},
	{"Parallels", "", "parallels"},
	{"BHYVE", "", "bhyve"},
	{"Bochs", "", "bochs"},
	{"Apple Inc.", "Apple Virtualization", "apple"},
}

// amazon makes machines of both kinds under one name; those of metal say so in the product's name.
const amazon, amazonMetal = "Amazon EC2", ".metal"

// vendorOf tells by the names in the firmware whether the machine is virtual, and under which hypervisor as far
// as the names say.
func vendorOf(item *inventoryv1.System, biosVendor string) (hypervisor string, virtual bool) {
	for _, v := range virtualMachines {
		if strings.HasPrefix(item.GetManufacturer(), v.manufacturer) && strings.HasPrefix(item.GetProductName(), v.product) {
			return v.hypervisor, true
		}
	}
	switch {
	case item.GetManufacturer() == amazon && !strings.HasSuffix(item.GetProductName(), amazonMetal):
		return "", true
	case item.GetManufacturer() == "" && (biosVendor == "QEMU" || biosVendor == "Xen"):
		return strings.ToLower(biosVendor), true
	}
	return "", false
}

// virtualize says that the machine is virtual where there is evidence of it. That there is none proves nothing,
// so that a machine of metal gets no claim at all.
func virtualize(h *host.Host, item *inventoryv1.System, biosVendor string) {
	named, virtual := vendorOf(item, biosVendor)
	kernel, guest := guestOf(h)
	if !virtual && !guest {
		return
	}
	item.IsVirtual = new(true)
	item.Hypervisor = named
	// QEMU with and without KVM have one name; the kernel knows them apart.
	if named == "" || named == "qemu" && kernel != "" {
		item.Hypervisor = kernel
	}
}

// guestOf tells what the kernel knows of a hypervisor below it. A Xen dom0 has one below it and is no guest.
func guestOf(h *host.Host) (hypervisor string, guest bool) {
	if strings.Contains(text(h, "/proc/xen/capabilities"), "control_d") {
		return "", false
	}
	if text(h, "/sys/hypervisor/type") == "xen" {
		return "xen", true
	}
	return clockOf(h), hypervisorFlag(h)
}

// clocks lists the clock sources that only a hypervisor gives to its guests.
var clocks = []struct{ name, hypervisor string }{
	{"kvm-clock", "kvm"},
	{"hyperv_clocksource", "hyperv"},
}

func clockOf(h *host.Host) string {
	available := text(h, "/sys/devices/system/clocksource/clocksource0/available_clocksource")
	for _, clock := range clocks {
		if strings.Contains(available, clock.name) {
			return clock.hypervisor
		}
	}
	return ""
}

// hypervisorFlag reads the flag by which x86 processors tell a guest (CPUID leaf 1, ECX bit 31). The first
// processor stands for all.
func hypervisorFlag(h *host.Host) bool {
	f, err := h.Open("/proc/cpuinfo")
	if err != nil {
		return false
	}
	defer func() { _ = f.Close() }()
	head := make([]byte, 16<<10)
	n, err := io.ReadFull(f, head)
	if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) {
		return false
	}
	for line := range bytes.Lines(head[:n]) {
		name, value, _ := bytes.Cut(line, []byte(":"))
		if string(bytes.TrimSpace(name)) == "flags" {
			return slices.Contains(strings.Fields(string(value)), "hypervisor")
		}
	}
	return false
}

// containerType tells the kind of container that the agent runs in, by the marks that their managers leave.
func containerType(h *host.Host) string {
	if kind := text(h, "/run/systemd/container"); kind != "" {
		return kind
	}
	if _, err := h.Stat("/run/.containerenv"); err == nil {
		return "podman"
	}
	if _, err := h.Stat("/.dockerenv"); err == nil {
		return "docker"
	}
	return ""
}

// text reads a short file of the kernel; empty where there is none.
func text(h *host.Host, name string) string {
	value, err := h.ReadFile(name, 4096)
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(value))
}
