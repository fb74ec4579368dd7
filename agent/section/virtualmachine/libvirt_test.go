package virtualmachine

import (
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	"github.com/musterhq/muster/internal/inventory"
	inventoryv1 "github.com/musterhq/muster/proto/muster/inventory/v1"
)

// The machines of a host with libvirt 9.0 and QEMU 7.2. The files are libvirt's, without most of
// the flags for QEMU's features.
var (
	buildBox = &inventoryv1.VirtualMachine{
		Uuid: "13ac3b68-a3bd-48c9-bc06-41919cec7adc", Name: "build box ä", Kind: "qemu", Manager: "libvirt", State: "paused", Cpus: proto.Uint32(1),
		MemoryBytes: size(96), Macs: []string{"00:16:3e:1a:b3:4a"}, ConfigPath: "/etc/libvirt/qemu/build box ä.xml",
	}
	db = &inventoryv1.VirtualMachine{
		Uuid: "030d9a33-8f50-488d-9b97-79fc03943d81", Name: "db", Kind: "qemu", Manager: "libvirt", State: "shut off", Cpus: proto.Uint32(1),
		MemoryBytes: size(128), Macs: []string{"52:54:00:82:74:42"}, ConfigPath: "/etc/libvirt/qemu/db.xml",
	}
	once = &inventoryv1.VirtualMachine{
		Uuid: "53476153-1ddb-4583-88ae-b2f8ce3b1626", Name: "once", Kind: "qemu", Manager: "libvirt", State: "running", Cpus: proto.Uint32(1),
		MemoryBytes: size(32),
	}
	web = &inventoryv1.VirtualMachine{
		Uuid: "c7a5fdbd-cdaf-9455-926a-d65c16db1809", Name: "web", Kind: "qemu", Manager: "libvirt", State: "running", Cpus: proto.Uint32(2),
		MemoryBytes: size(64), Macs: []string{"52:54:00:6b:3c:58"}, ConfigPath: "/etc/libvirt/qemu/web.xml",
	}
)

const qemuProgram = "/usr/bin/qemu-system-x86_64"

// libvirtHost has three defined machines, of which one is off, and one that runs without a
// definition.
func libvirtHost(t testing.TB) tree {
	t.Helper()
	all := tree{
		"/etc/libvirt/qemu/build box ä.xml":      recorded(t, "build-box.xml"),
		"/etc/libvirt/qemu/db.xml":               recorded(t, "db.xml"),
		"/etc/libvirt/qemu/web.xml":              recorded(t, "web.xml"),
		"/etc/libvirt/qemu/networks/default.xml": "<network/>",
		"/run/libvirt/qemu/autostarted":          "",
		"/run/libvirt/qemu/web.pid":              "31252",
		"/run/libvirt/qemu/build box ä.xml":      recorded(t, "build-box.status.xml"),
		"/run/libvirt/qemu/once.xml":             recorded(t, "once.status.xml"),
		"/run/libvirt/qemu/web.xml":              recorded(t, "web.status.xml"),
	}
	all.process(31282, "qemu-system-x86_64", qemuProgram, "-name", "guest=build box ä,debug-threads=on", "-S", "-accel", "tcg", "-m", "96",
		"-smp", "1,maxcpus=4,sockets=4,cores=1,threads=1", "-uuid", buildBox.Uuid)
	all.process(31815, "qemu-system-x86_64", qemuProgram, "-name", "guest=once,debug-threads=on", "-S", "-accel", "tcg", "-m", "32", "-uuid", once.Uuid)
	all.process(31252, "qemu:web", qemuProgram, "-name", "guest=web,process=qemu:web", "-S", "-accel", "tcg", "-m", "64", "-uuid", web.Uuid)
	return files(all)
}

func TestLibvirt(t *testing.T) {
	t.Parallel()
	check(t, libvirtHost(t), db, buildBox, once, web)
}

// changed returns a machine with other fields.
func changed(m *inventoryv1.VirtualMachine, change func(*inventoryv1.VirtualMachine)) *inventoryv1.VirtualMachine {
	m = proto.CloneOf(m)
	change(m)
	return m
}

// TestLibvirtAfterACrash: status files of ended processes are ignored, also if another process has
// the same ID.
func TestLibvirtAfterACrash(t *testing.T) {
	t.Parallel()
	all := libvirtHost(t)
	for _, pid := range []string{"31282", "31252"} {
		delete(all, "/proc/"+pid+"/comm")
		delete(all, "/proc/"+pid+"/cmdline")
	}
	all.process(31815, "sshd", "/usr/sbin/sshd", "-D")
	off := func(m *inventoryv1.VirtualMachine) { m.State = "shut off" }
	check(t, all, db, changed(buildBox, off), changed(web, off))
}

// TestLibvirtOnADisk: on the disk of a machine that is off, no running state is known.
func TestLibvirtOnADisk(t *testing.T) {
	t.Parallel()
	check(t, tree{"/etc/libvirt/qemu/db.xml": recorded(t, "db.xml")}, changed(db, func(m *inventoryv1.VirtualMachine) { m.State = "" }))
}

// TestLibvirtUnreadStatus: the process shows that the machine runs if libvirt's status cannot be
// read.
func TestLibvirtUnreadStatus(t *testing.T) {
	t.Parallel()
	all := libvirtHost(t)
	for name := range all {
		if strings.HasPrefix(name, "/run/") {
			delete(all, name)
		}
	}
	unmanaged := func(m *inventoryv1.VirtualMachine) { m.Manager, m.Cpus = "", nil }
	check(t, all, db, changed(buildBox, func(m *inventoryv1.VirtualMachine) { m.State = "running" }), changed(once, unmanaged), web)
}

// TestLibvirtOfUsers: a user's definitions are in the home; the status is in the directory of the
// session or, without one, in the home.
func TestLibvirtOfUsers(t *testing.T) {
	t.Parallel()
	all := libvirtHost(t)
	all["/etc/passwd"] = "root:x:0:0:root:/root:/bin/bash\nlibvirt-qemu:x:64055:64055::/var/lib/libvirt:/usr/sbin/nologin\n" +
		"ada:x:1000:1000::/srv/ada:/bin/sh\nbob:x:1001:1001::/home/bob:/bin/sh\nnobody:x:65534:65534::/nonexistent:/bin/sh\nbroken line\n"
	move := func(name, to string) {
		all[to] = all[name]
		delete(all, name)
	}
	move("/etc/libvirt/qemu/web.xml", "/srv/ada/.config/libvirt/qemu/web.xml")
	move("/run/libvirt/qemu/web.xml", "/run/user/1000/libvirt/qemu/run/web.xml")
	move("/etc/libvirt/qemu/build box ä.xml", "/home/bob/.config/libvirt/qemu/build box ä.xml")
	move("/run/libvirt/qemu/build box ä.xml", "/home/bob/.cache/libvirt/qemu/run/build box ä.xml")
	move("/etc/libvirt/qemu/db.xml", "/home/carl@corp/.config/libvirt/qemu/db.xml") // a home that no file lists
	all["/home/dora"] = "-> /srv/ada"                                               // the same home by another name
	at := func(path string) func(*inventoryv1.VirtualMachine) {
		return func(m *inventoryv1.VirtualMachine) { m.ConfigPath = path }
	}
	check(t, all, changed(db, at("/home/carl@corp/.config/libvirt/qemu/db.xml")),
		changed(buildBox, at("/home/bob/.config/libvirt/qemu/build box ä.xml")), once, changed(web, at("/srv/ada/.config/libvirt/qemu/web.xml")))
}

// TestHomesElsewhere: a home on a network is not searched; its machines are found only if they run
// here.
func TestHomesElsewhere(t *testing.T) {
	t.Parallel()
	all := libvirtHost(t)
	all["/proc/self/mountinfo"] = "22 1 8:1 / / rw,relatime - ext4 /dev/sda1 rw\n40 22 0:50 / /home rw shared:7 - autofs auto.home rw,fd=5\n" +
		"41 40 0:51 / /home/ada\\040b rw - nfs4 server:/ada rw\n42 40 8:2 / /home/local rw - ext4 /dev/sda2 rw\n"
	all["/etc/passwd"] = "ada:x:1000:1000::/home/ada b:/bin/sh\nlocal:x:1001:1001::/home/local:/bin/sh\n"
	for from, to := range map[string]string{"db": "/home/ada b", "web": "/home/local", "build box ä": "/home/eve"} {
		name := "/etc/libvirt/qemu/" + from + ".xml"
		all[to+"/.config/libvirt/qemu/"+from+".xml"] = all[name]
		delete(all, name)
	}
	all["/home/bob/.config"] = "a file where a directory should be"
	undefined := func(m *inventoryv1.VirtualMachine) { m.ConfigPath = "" }
	local := func(m *inventoryv1.VirtualMachine) { m.ConfigPath = "/home/local/.config/libvirt/qemu/web.xml" }
	check(t, all, changed(buildBox, undefined), once, changed(web, local))
}

// TestCopiesOfADefinition: two machines with one UUID are two items.
func TestCopiesOfADefinition(t *testing.T) {
	t.Parallel()
	all := files(tree{"/etc/libvirt/qemu/db.xml": recorded(t, "db.xml"), "/home/ada/.config/libvirt/qemu/db2.xml": recorded(t, "db.xml")})
	first := func(m *inventoryv1.VirtualMachine) { m.Ordinal = proto.Uint32(1) }
	second := func(m *inventoryv1.VirtualMachine) {
		m.Ordinal, m.ConfigPath = proto.Uint32(2), "/home/ada/.config/libvirt/qemu/db2.xml"
	}
	check(t, all, changed(db, first), changed(db, second))
}

// TestDamage: readable definitions are returned, unreadable ones are reported.
func TestDamage(t *testing.T) {
	t.Parallel()
	for name, damage := range map[string]tree{
		"cut off":       {"/etc/libvirt/qemu/web.xml": recorded(t, "web.xml")[:700]},
		"another root":  {"/etc/libvirt/qemu/web.xml": "<network><name>web</name></network>"},
		"empty":         {"/etc/libvirt/qemu/web.xml": ""},
		"too long":      {"/etc/libvirt/qemu/web.xml": recorded(t, "web.xml") + strings.Repeat(" ", maxFile)},
		"broken status": {"/run/libvirt/qemu/web.xml": "<domstatus state='running' pid='x'"},
		"broken list":   {"/home/ada/.config/VirtualBox/VirtualBox.xml": "<VirtualBox><Global>"},
		"broken box":    {"/home/ada/.config/VirtualBox/VirtualBox.xml": registry("/v/a.vbox"), "/v/a.vbox": "<VirtualBox"},
		"no file":       {"/home/ada/.config/VirtualBox/VirtualBox.xml/": ""},
		"no cluster":    {"/etc/pve/": ""},
		"no process":    {"/proc/7/comm": "kvm\n", "/usr/bin/kvm": "", "/proc/7/exe": "-> /usr/bin/kvm", "/proc/7/cmdline": strings.Repeat("x", maxCommandLine+1)},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			all := files(tree{"/etc/libvirt/qemu/db.xml": recorded(t, "db.xml")}, damage)
			got, report := run(t, all)
			if len(got) != 1 || got[0].Uuid != db.Uuid || report.Status != inventory.StatusPartial {
				t.Errorf("%s: %s, %v", report.Status, report.Message, got)
			}
			t.Log(report.Message)
		})
	}
}

func TestDomain(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		text string
		want *inventoryv1.VirtualMachine
	}{
		"with another UUID in its firmware": {
			`<domain type='kvm'><uuid>C7A5FDBD-CDAF-9455-926A-D65C16DB1809</uuid><hwuuid>c7a5fdbdcdaf9455926ad65c16db1810</hwuuid></domain>`,
			&inventoryv1.VirtualMachine{Uuid: web.Uuid, FirmwareUuid: "c7a5fdbd-cdaf-9455-926a-d65c16db1810", Kind: "kvm"},
		},
		"written by hand": {
			`<domain type='kvm'><name> a </name><memory unit='GiB'>2</memory><vcpu>x</vcpu><devices><interface type='bridge'/>` +
				`<interface type='hostdev'><mac address='5254.00'/></interface></devices></domain>`,
			&inventoryv1.VirtualMachine{Id: "a", Name: "a", Kind: "kvm", MemoryBytes: size(2048)},
		},
		"of an older libvirt": {`<domain type='kvm'><name>a</name><memory>1024</memory></domain>`,
			&inventoryv1.VirtualMachine{Id: "a", Name: "a", Kind: "kvm", MemoryBytes: size(1)}},
		"too large": {`<domain type='kvm'><name>a</name><memory unit='TiB'>18446744073709551615</memory></domain>`,
			&inventoryv1.VirtualMachine{Id: "a", Name: "a", Kind: "kvm"}},
		"of an unknown unit": {`<domain type='kvm'><name>a</name><memory unit='acres'>2</memory></domain>`,
			&inventoryv1.VirtualMachine{Id: "a", Name: "a", Kind: "kvm"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c.want.Manager, c.want.State, c.want.ConfigPath = "libvirt", "shut off", "/etc/libvirt/qemu/a.xml"
			check(t, files(tree{"/etc/libvirt/qemu/a.xml": c.text}), c.want)
		})
	}
}
