package virtualmachine

import (
	"testing"

	"google.golang.org/protobuf/proto"

	inventoryv1 "github.com/musterhq/muster/proto/muster/inventory/v1"
)

// TestProxmox: the files are in the node's directory of the cluster file system, which a link
// points to.
func TestProxmox(t *testing.T) {
	t.Parallel()
	const uuid = "362ead97-1c8d-429e-bb94-435e93057dc3"
	node := "/etc/pve/nodes/pve1/qemu-server/"
	all := files(tree{
		"/etc/pve/local":       "-> nodes/pve1",
		"/etc/pve/qemu-server": "-> local/qemu-server",
		node + "100.conf": "#name%3A not this one\nboot: order=scsi0;net0\ncores: 4\nmemory: 2048\nname: web\nnet0: virtio=BC:24:11:62:A4:D8,bridge=vmbr0,firewall=1\n" +
			"net1: model=e1000,macaddr=BC:24:11:00:00:02,bridge=vmbr1\nsmbios1: uuid=" + uuid + "\nsockets: 2\nvmgenid: b5411159-917e-4bde-9f69-0f4f1986f6bd\n\n" +
			"[before-update]\nname: old\nsmbios1: uuid=ffffffff-ffff-4fff-8fff-ffffffffffff\nnet2: virtio=BC:24:11:00:00:03\n",
		node + "101.conf":                          "kvm: 0\nmemory: current=512\nname: web\nsmbios1: base64=1,serial=eA==\nvcpus: 3\ncores: 8\n",
		node + "102.conf":                          "",
		node + "103.conf.tmp":                      "name: not yet",
		"/etc/pve/nodes/pve2/qemu-server/200.conf": "name: elsewhere\n",
	}.process(900, "kvm", "/usr/bin/kvm", "-id", "100", "-name", "web,debug-threads=on", "-smbios", "type=1,uuid="+uuid, "-m", "2048").
		process(901, "kvm", "/usr/bin/kvm", "-id", "102", "-name", "vm102"))
	at := "/etc/pve/qemu-server/"
	check(t, all,
		&inventoryv1.VirtualMachine{Id: "101", Name: "web", Kind: "qemu", Manager: "proxmox", State: "shut off", Cpus: proto.Uint32(3), MemoryBytes: size(512), ConfigPath: at + "101.conf"},
		&inventoryv1.VirtualMachine{Id: "102", Kind: "kvm", Manager: "proxmox", State: "running", Cpus: proto.Uint32(1), ConfigPath: at + "102.conf"},
		&inventoryv1.VirtualMachine{
			Uuid: uuid, Name: "web", Kind: "kvm", Manager: "proxmox", State: "running", Cpus: proto.Uint32(8), MemoryBytes: size(2048),
			Macs: []string{"bc:24:11:00:00:02", "bc:24:11:62:a4:d8"}, ConfigPath: at + "100.conf",
		},
	)
}
