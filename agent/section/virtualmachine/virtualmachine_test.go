package virtualmachine

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/testing/protocmp"

	"github.com/musterhq/muster/agent/host"
	"github.com/musterhq/muster/agent/section"
	"github.com/musterhq/muster/agent/section/hosttest"
	"github.com/musterhq/muster/internal/inventory"
	inventoryv1 "github.com/musterhq/muster/proto/muster/inventory/v1"
)

// tree is a host under construction: its files.
type tree map[string]string

// files makes a host of trees. Each has an unrelated process.
func files(trees ...tree) tree {
	all := tree{}.process(1, "systemd", "/sbin/init", "-uuid", "7f1a2b3c-4d5e-6f70-8192-a3b4c5d6e7f8")
	for _, t := range trees {
		maps.Copy(all, t)
	}
	return all
}

// process adds a process that runs the system's program. The kernel truncates names at 15 bytes.
func (t tree) process(pid int, name string, arguments ...string) tree {
	t.named(pid, name, arguments...)
	program := name
	if len(arguments) > 0 {
		program = arguments[0]
	}
	program = "/usr/bin/" + filepath.Base(program)
	t[program] = ""
	t[fmt.Sprintf("/proc/%d/exe", pid)] = "-> " + program
	return t
}

// named adds a process that calls itself so.
func (t tree) named(pid int, name string, arguments ...string) tree {
	directory := fmt.Sprintf("/proc/%d/", pid)
	t[directory+"comm"] = name[:min(len(name), 15)] + "\n"
	t[directory+"cmdline"] = strings.Join(append(arguments, ""), "\x00")
	return t
}

func recorded(t testing.TB, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func run(t testing.TB, files tree) ([]*inventoryv1.VirtualMachine, section.Report) {
	t.Helper()
	report := section.Run(t.Context(), hosttest.Tree(t, files), []section.Collector{Collector()})[0]
	var machines []*inventoryv1.VirtualMachine
	for _, item := range report.Items {
		machines = append(machines, item.(*inventoryv1.VirtualMachine))
	}
	return machines, report
}

// check compares the machines of a host with readable sources.
func check(t *testing.T, files tree, want ...*inventoryv1.VirtualMachine) {
	t.Helper()
	got, report := run(t, files)
	if diff := cmp.Diff(want, got, protocmp.Transform()); diff != "" {
		t.Errorf("machines (-want +got):\n%s", diff)
	}
	if report.Status != inventory.StatusOK {
		t.Errorf("status %s: %s", report.Status, report.Message)
	}
}

func size(mib uint64) *uint64 { return proto.Uint64(mib << 20) }

func TestNoMachines(t *testing.T) {
	t.Parallel()
	guestAgent := tree{}.process(2, "qemu-ga", "/usr/sbin/qemu-ga").process(3, "qemu-aarch64-static", "/usr/bin/qemu-aarch64-static", "-name", "x").
		process(4, "qemu-nbd", "qemu-nbd", "-uuid", "x").process(5, "kvm-pit/77").process(6, "qemu-system-x86_64").
		process(7, "qemu-system-x86_64", "/usr/bin/qemu-system-x86_64", "-S", "-nodefaults", "-machine", "none,accel=kvm:tcg", "-daemonize").
		process(8, "qemu-system-i386", "/usr/lib/xen/bin/qemu-system-i386", "-xen-domid", "0", "-name", "dom0")
	check(t, files(guestAgent))
}

func TestNoSource(t *testing.T) {
	t.Parallel()
	_, report := run(t, tree{"/etc/os-release": ""})
	if report.Status != inventory.StatusUnsupported || !strings.Contains(report.Message, "no virtual machine manager found") {
		t.Errorf("%s: %s", report.Status, report.Message)
	}
}

// TestTooMany: the section reports what it leaves out.
func TestTooMany(t *testing.T) {
	t.Parallel()
	var sources []string
	for n := range maxMachines + 1 {
		sources = append(sources, fmt.Sprintf("m%d.vbox", n))
	}
	got, report := run(t, files(tree{"/home/ada/.VirtualBox/VirtualBox.xml": registry(sources...)}))
	if len(got) != maxMachines || report.Status != inventory.StatusPartial || !strings.Contains(report.Message, "left out") {
		t.Errorf("%d machines: %s: %s", len(got), report.Status, report.Message)
	}
}

// TestDenied: an agent that is not root sees at most the running machines.
func TestDenied(t *testing.T) {
	t.Parallel()
	if os.Geteuid() == 0 {
		t.Skip("root may read everything")
	}
	all := libvirtHost(t)
	h := hosttest.Tree(t, all)
	for name := range all {
		if strings.HasSuffix(name, ".xml") {
			full, err := h.Path(name)
			if err == nil {
				err = os.Chmod(full, 0)
			}
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	report := section.Run(t.Context(), h, []section.Collector{Collector()})[0]
	if len(report.Items) != 3 || report.Status != inventory.StatusPartial {
		t.Errorf("%d machines run: %s: %s", len(report.Items), report.Status, report.Message)
	}
	proc, err := h.Path("/proc")
	if err == nil {
		err = os.RemoveAll(proc)
	}
	if err != nil {
		t.Fatal(err)
	}
	report = section.Run(t.Context(), h, []section.Collector{Collector()})[0]
	if len(report.Items) > 0 || report.Status != inventory.StatusDenied {
		t.Errorf("%d machines, and none runs: %s: %s", len(report.Items), report.Status, report.Message)
	}
}

// BenchmarkThisHost measures the section on a machine without virtual machines, and on this one.
func BenchmarkThisHost(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		items, err := collect(b.Context(), host.Local())
		if err != nil {
			b.Log(err)
		}
		b.ReportMetric(float64(len(items)), "machines")
	}
}

// TestRecordedWithoutManager: a recording of a machine without virtual machines says so, as the
// machine does.
func TestRecordedWithoutManager(t *testing.T) {
	t.Parallel()
	recording, err := host.Record(hosttest.Tree(t, nil), filepath.Join(t.TempDir(), "recording"))
	if err != nil {
		t.Fatal(err)
	}
	if items, err := collect(t.Context(), recording.Host()); !errors.Is(err, host.ErrUnsupported) {
		t.Errorf("%d items, error %v", len(items), err)
	}
}
