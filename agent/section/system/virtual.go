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

// virtualMachine is a firmware description of virtual machines: prefixes of manufacturer and
// product. An empty prefix matches anything.
type virtualMachine struct {
	manufacturer string
	product      string
	hypervisor   string // empty if the vendor uses several
}

// virtualMachines lists the names that only virtual machines have. Names that are also used for
// physical machines are left out.
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

// amazon makes virtual and physical machines of one manufacturer name; the product names of
// physical ones end with amazonMetal.
const amazon, amazonMetal = "Amazon EC2", ".metal"

// vendorOf reports whether the names in the firmware are those of a virtual machine, and returns
// the hypervisor if the names identify it.
func vendorOf(item *inventoryv1.System, biosVendor string) (hypervisor string, virtual bool) {
	for _, v := range virtualMachines {
		if strings.HasPrefix(item.GetManufacturer(), v.manufacturer) &&
			strings.HasPrefix(item.GetProductName(), v.product) {
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

// virtualize marks the machine as virtual if there is evidence. The absence of evidence proves
// nothing, so the field stays unset on other machines.
func virtualize(h *host.Host, item *inventoryv1.System, biosVendor string) {
	named, virtual := vendorOf(item, biosVendor)
	kernel, guest := guestOf(h)
	if !virtual && !guest {
		return
	}
	item.IsVirtual = new(true)
	item.Hypervisor = named
	// The firmware has the same name for QEMU with and without KVM; the kernel distinguishes them.
	if named == "" || named == "qemu" && kernel != "" {
		item.Hypervisor = kernel
	}
}

// guestOf returns what the kernel knows about a hypervisor below it. A Xen dom0 runs on a
// hypervisor but is not a guest.
func guestOf(h *host.Host) (hypervisor string, guest bool) {
	if strings.Contains(text(h, "/proc/xen/capabilities"), "control_d") {
		return "", false
	}
	if text(h, "/sys/hypervisor/type") == "xen" {
		return "xen", true
	}
	return clockOf(h), hypervisorFlag(h)
}

// clocks lists the clock sources that only a hypervisor provides.
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

// hypervisorFlag reads the flag that x86 processors set in a guest (CPUID leaf 1, ECX bit 31). It
// checks the first processor only.
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

// containerType returns the type of the container that the agent runs in, from the files that
// container managers create.
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

// text reads a short file of the kernel. It returns "" if the file cannot be read.
func text(h *host.Host, name string) string {
	value, err := h.ReadFile(name, 4096)
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(value))
}
