package virtualmachine

import (
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/testing/protocmp"
	"pgregory.net/rapid"

	"github.com/musterhq/muster/agent/section"
	"github.com/musterhq/muster/agent/section/hosttest"
	"github.com/musterhq/muster/internal/inventory"
	inventoryv1 "github.com/musterhq/muster/proto/muster/inventory/v1"
)

func TestParseQEMU(t *testing.T) {
	t.Parallel()
	const uuid = "7f1a2b3c-4d5e-6f70-8192-a3b4c5d6e7f8"
	for name, c := range map[string]struct {
		line string
		want *inventoryv1.VirtualMachine
	}{
		"short": {"qemu-system-x86_64|-name|lone|-uuid|" + uuid + "|-m|48|-smp|cpus=2|-nic|user,mac=00:1c:42:11:22:33|-display|none|-daemonize",
			&inventoryv1.VirtualMachine{Uuid: uuid, Name: "lone", Kind: "qemu", Cpus: proto.Uint32(2), MemoryBytes: size(48), Macs: []string{"00:1c:42:11:22:33"}}},
		"the firmware's UUID": {`qemu-system-x86_64|-smbios|type=1,manufacturer=QA,uuid=` + strings.ToUpper(uuid) +
			`|-smp|3|-m|64|-netdev|user,id=n1|-device|e1000,netdev=n1,mac=52:54:00:12:34:99|-name|my "box",debug-threads=on`,
			&inventoryv1.VirtualMachine{Uuid: uuid, Name: `my "box"`, Kind: "qemu", Cpus: proto.Uint32(3), MemoryBytes: size(64), Macs: []string{"52:54:00:12:34:99"}}},
		"of nothing but a size": {"qemu-system-x86_64|-m|size=0.25G,slots=2,maxmem=1G|-display|none|-S|-net|none",
			&inventoryv1.VirtualMachine{Kind: "qemu", MemoryBytes: size(256)}},
		"of libvirt": {`/usr/libexec/qemu-kvm|-name|guest=a,,b=c,debug-threads=on|-machine|pc-q35-7.2,usb=off|-accel|kvm|-m|size=2097152k|-smp|1,maxcpus=4,sockets=4|-uuid|` + uuid +
			`|-device|{"driver":"virtio-net-pci","netdev":"hostnet0","mac":"52:54:00:6b:3c:58"}|-device|{"driver":"virtio-balloon-pci"}|-device|{"mac":7}`,
			&inventoryv1.VirtualMachine{Uuid: uuid, Name: "a,b=c", Kind: "kvm", Cpus: proto.Uint32(1), MemoryBytes: size(2048), Macs: []string{"52:54:00:6b:3c:58"}}},
		"of Proxmox VE": {"/usr/bin/kvm|-id|100|-name|web,debug-threads=on|-smbios|type=1,uuid=" + uuid + "|-smp|4,sockets=1,cores=4,maxcpus=4|-m|2048|-netdev|type=tap,id=net0" +
			"|-device|virtio-net-pci,mac=BC:24:11:62:A4:D8,netdev=net0", &inventoryv1.VirtualMachine{
			Uuid: uuid, Name: "web", Kind: "kvm", Cpus: proto.Uint32(4), MemoryBytes: size(2048), Macs: []string{"bc:24:11:62:a4:d8"}}},
		"of Proxmox VE without a UUID": {"/usr/bin/kvm|-id|100|-name|web", &inventoryv1.VirtualMachine{Id: "100", Name: "web", Kind: "kvm"}},
		"two dashes, and machines of two accelerators": {"qemu-system-aarch64|--uuid|" + uuid + "|--machine|virt,accel=hvf:kvm|-M|q35,accel=kvm:tcg|-net|nic,macaddr=0a:00:27:00:00:01",
			&inventoryv1.VirtualMachine{Uuid: uuid, Kind: "kvm", Macs: []string{"0a:00:27:00:00:01"}}},
		"the last of several": {"qemu-system-x86_64|-m|1G|-name|a|-m|2T|-name|b|-enable-kvm",
			&inventoryv1.VirtualMachine{Name: "b", Kind: "kvm", MemoryBytes: proto.Uint64(2 << 40)}},
		"of Xen": {"qemu-system-i386|-xen-domid|7|-name|a", &inventoryv1.VirtualMachine{Name: "a", Kind: "xen"}},
		"of no meaning": {"qemu-system-x86_64|-uuid|00000000-0000-0000-0000-000000000000|-m|-5|-smp|0|-name|-device|x,mac=1|-nic|-net|-smbios|type=1,uuid=7|-m",
			&inventoryv1.VirtualMachine{Name: "-device", Kind: "qemu"}},
		"none": {"qemu-system-x86_64|-machine|none", nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(c.want, parseQEMU(strings.Split(c.line, "|")), protocmp.Transform()); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// TestStartedByHand: two machines with equal command lines are two items, and one without a name is
// included.
func TestStartedByHand(t *testing.T) {
	t.Parallel()
	all := files(tree{}.process(7, "qemu-system-x86_64", "qemu-system-x86_64", "-name", "a", "-m", "1G").
		process(8, "qemu-system-x86_64", "qemu-system-x86_64", "-name", "a", "-m", "2G").
		process(9, "qemu-system-arm", "qemu-system-arm", "-kernel", "x").
		process(10, "qemu-system-x86_64", "qemu-system-x86_64", "-name", "b").
		process(11, "qemu-system-x86_64", "qemu-system-x86_64", "-name", "c", "-uuid", boxUUID(1)).
		process(12, "qemu-system-x86_64", "qemu-system-x86_64", "-name", "c", "-uuid", boxUUID(1)))
	check(t, all,
		&inventoryv1.VirtualMachine{Ordinal: proto.Uint32(1), Kind: "qemu", State: "running"},
		&inventoryv1.VirtualMachine{Id: "a", Ordinal: proto.Uint32(1), Name: "a", Kind: "qemu", State: "running", MemoryBytes: size(1024)},
		&inventoryv1.VirtualMachine{Id: "a", Ordinal: proto.Uint32(2), Name: "a", Kind: "qemu", State: "running", MemoryBytes: size(2048)},
		&inventoryv1.VirtualMachine{Id: "b", Name: "b", Kind: "qemu", State: "running"},
		&inventoryv1.VirtualMachine{Uuid: boxUUID(1), Ordinal: proto.Uint32(1), Name: "c", Kind: "qemu", State: "running"},
		&inventoryv1.VirtualMachine{Uuid: boxUUID(1), Ordinal: proto.Uint32(2), Name: "c", Kind: "qemu", State: "running"},
	)
}

// TestPretender: what a process calls itself is no proof.
func TestPretender(t *testing.T) {
	t.Parallel()
	arguments := []string{"/usr/bin/qemu-system-x86_64", "-name", "a", "-uuid", db.Uuid}
	all := libvirtHost(t)
	all["/run/libvirt/qemu/db.xml"] = strings.ReplaceAll(recorded(t, "once.status.xml"), once.Uuid, db.Uuid)
	all["/run/libvirt/qemu/db.xml"] = strings.ReplaceAll(all["/run/libvirt/qemu/db.xml"], "31815", "7")
	all.named(7, "qemu-system-x86_64", arguments...)
	all.named(8, "qemu-system-x86_64", arguments...)
	all.named(9, "VBoxHeadless", "/usr/lib/virtualbox/VBoxHeadless", "--startvm", boxUUID(1))
	all["/home/eve/.config/VirtualBox/VirtualBox.xml"] = registry("gone.vbox")
	all["/usr/bin/sleep"], all["/home/eve/qemu-system-x86_64"], all["/home/eve/VBoxHeadless"] = "", "", ""
	all["/proc/7/exe"] = "-> /usr/bin/sleep"
	all["/proc/8/exe"] = "-> /home/eve/qemu-system-x86_64"
	all["/proc/9/exe"] = "-> /home/eve/VBoxHeadless"
	h := hosttest.Tree(t, all)
	home, err := h.Path("/home/eve")
	if err == nil {
		err = os.Chmod(home, 0o777)
	}
	if err != nil {
		t.Fatal(err)
	}
	report := section.Run(t.Context(), h, []section.Collector{Collector()})[0]
	states := map[string]string{}
	for _, item := range report.Items {
		states[item.(*inventoryv1.VirtualMachine).Uuid] = item.(*inventoryv1.VirtualMachine).State
	}
	want := map[string]string{
		buildBox.Uuid: "paused", db.Uuid: "shut off", once.Uuid: "running", web.Uuid: "running", boxUUID(1): "shut off",
	}
	if diff := cmp.Diff(want, states); diff != "" || report.Status != inventory.StatusOK {
		t.Errorf("status %s: %s; states (-want +got):\n%s", report.Status, report.Message, diff)
	}
}

// TestParseQEMUProperties: any arguments are read without a panic, and identifiers have their
// canonical form.
func TestParseQEMUProperties(t *testing.T) {
	t.Parallel()
	option := rapid.SampledFrom([]string{"-name", "-uuid", "-smbios", "-m", "-smp", "-device", "-nic", "-net", "-accel", "-machine", "-id", "-xen-domid"})
	argument := rapid.OneOf(option, rapid.String(), rapid.StringMatching(`(size=|cpus=|type=1,uuid=|\{"mac":")?[0-9a-fA-F:.-]{0,40}[KMGTPE]?`))
	rapid.Check(t, func(t *rapid.T) {
		m := parseQEMU(append([]string{"qemu-system-x86_64"}, rapid.SliceOf(argument).Draw(t, "arguments")...))
		if m == nil {
			return
		}
		if m.Uuid != parseUUID(m.Uuid) || m.Uuid != "" && m.Id != "" || m.Cpus != nil && *m.Cpus == 0 {
			t.Errorf("%v", m)
		}
		if diff := cmp.Diff(parseMACs(m.Macs), m.Macs); diff != "" {
			t.Error(diff)
		}
	})
}
