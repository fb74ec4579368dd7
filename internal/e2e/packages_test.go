package e2e

import (
	"bytes"
	"context"
	"encoding/csv"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/musterhq/muster/agent/host"
	"github.com/musterhq/muster/agent/link"
	"github.com/musterhq/muster/agent/section"
	"github.com/musterhq/muster/agent/section/software"
	"github.com/musterhq/muster/internal/pgtest"
)

// probe is the package that these tests make, install, upgrade and remove.
const probe = "muster-e2e-probe"

// dpkg is the real package manager, on a tree or on this machine.
type dpkg struct{ args []string }

// inTree returns a dpkg that works on a directory. It needs no privileges.
func inTree(t testing.TB) (d dpkg, root string) {
	t.Helper()
	for _, tool := range []string{"dpkg", "dpkg-deb", "dpkg-query"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skip(err)
		}
	}
	root = t.TempDir()
	for _, dir := range []string{"info", "updates"} {
		if err := os.MkdirAll(filepath.Join(root, "var/lib/dpkg", dir), 0o750); err != nil {
			t.Fatal(err)
		}
	}
	var status strings.Builder
	for i := range 200 { // more than a small section has
		fmt.Fprintf(&status, "Package: package-%03d\nStatus: install ok installed\nMaintainer: ACME\nArchitecture: all\nVersion: 1.0\nDescription: a package\n\n", i)
	}
	if err := os.WriteFile(filepath.Join(root, "var/lib/dpkg/status"), []byte(status.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	return dpkg{[]string{"--root=" + root, "--force-not-root", "--log=" + filepath.Join(root, "log")}}, root
}

func (d dpkg) run(t testing.TB, args ...string) {
	t.Helper()
	cmd := exec.Command("dpkg", slices.Concat(d.args, args)...)
	cmd.Env = append(os.Environ(), "PATH="+os.Getenv("PATH")+":/usr/sbin:/sbin", "DEBIAN_FRONTEND=noninteractive")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("dpkg %v: %v\n%s", args, err, out)
	}
}

// install makes a package of a name and a version, and installs it.
func (d dpkg) install(t testing.TB, name, version string) {
	t.Helper()
	dir, file := t.TempDir(), filepath.Join(t.TempDir(), name+".deb")
	control := fmt.Sprintf("Package: %s\nVersion: %s\nArchitecture: all\nMaintainer: ACME, Inc. <=cmd@example.com>\nDescription: a probe\n", name, version)
	if err := os.Mkdir(filepath.Join(dir, "DEBIAN"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "DEBIAN/control"), []byte(control), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("dpkg-deb", "--root-owner-group", "--build", dir, file).CombinedOutput(); err != nil {
		t.Fatalf("dpkg-deb: %v\n%s", err, out)
	}
	d.run(t, "--install", file)
}

// installed returns the installed packages according to dpkg-query: name, version, architecture.
func (d dpkg) installed(t testing.TB) []string {
	t.Helper()
	var args []string
	for _, arg := range d.args {
		if root, ok := strings.CutPrefix(arg, "--root="); ok {
			args = append(args, "--admindir="+filepath.Join(root, "var/lib/dpkg"))
		}
	}
	out, err := exec.Command("dpkg-query", append(args, "--show", "--showformat", "${db:Status-Status} ${Package} ${Version} ${Architecture}\n")...).Output()
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	for line := range strings.Lines(string(out)) {
		if rest, ok := strings.CutPrefix(line, "installed "); ok {
			lines = append(lines, strings.TrimSpace(rest))
		}
	}
	slices.Sort(lines)
	return lines
}

// csvOf returns a device's software from the CSV, in the form of installed.
func (c *collector) csvOf(t testing.TB, device string, at time.Time) []string {
	t.Helper()
	query := asOf(at)
	path := "/api/v1/devices/" + device + "/software?format=csv&" + query.Encode()
	rows, err := csv.NewReader(bytes.NewReader(c.download(t, path))).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	column := func(name string) int { return slices.Index(rows[0], name) }
	name, version, arch := column("name"), column("version"), column("arch")
	var lines []string
	for _, row := range rows[1:] {
		lines = append(lines, row[name]+" "+row[version]+" "+row[arch])
	}
	slices.Sort(lines)
	return lines
}

// lifeCycle installs, upgrades, downgrades and removes a package, checks in after each, and checks
// the results in the API.
func lifeCycle(t *testing.T, d dpkg, c *collector, checkIn func() (device string)) {
	t.Helper()
	check := func(at time.Time, want []string) {
		t.Helper()
		device := checkIn()
		if diff := cmp.Diff(want, c.csvOf(t, device, at)); diff != "" {
			t.Errorf("software by dpkg and by the CSV as of %v (-want +got):\n%s", at, diff)
		}
	}
	device := checkIn()
	at, lists := []time.Time{time.Now()}, [][]string{d.installed(t)}
	for _, step := range []func(){
		func() { d.install(t, probe, "1.0-1") },
		func() { d.install(t, probe, "1.0-1+b2~bpo12+1") },
		func() { d.install(t, probe, "1:0.9") },
		func() { d.install(t, probe, "1:0.9~rc1") },
		func() { d.run(t, "--purge", probe) },
	} {
		step()
		list := d.installed(t)
		check(time.Time{}, list)
		at, lists = append(at, time.Now()), append(lists, list)
	}
	for i := range at {
		check(at[i], lists[i])
	}
	item := "dpkg " + probe + " all"
	want := []change{
		{"software", "installed", item, "", "1.0-1"},
		{"software", "upgraded", item, "1.0-1", "1.0-1+b2~bpo12+1"},
		{"software", "upgraded", item, "1.0-1+b2~bpo12+1", "1:0.9"},
		{"software", "downgraded", item, "1:0.9", "1:0.9~rc1"},
		{"software", "removed", item, "1:0.9~rc1", ""},
	}
	var got []change
	for _, changed := range slices.Concat(c.feed(t, device, nil)...) {
		if changed.Item == item {
			got = append(got, changed)
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("what was done and what the feed says (-want +got):\n%s", diff)
	}
}

// TestPackageLifeCycle uses the real dpkg on a tree, which the agent's own code reads.
func TestPackageLifeCycle(t *testing.T) {
	t.Parallel()
	d, root := inTree(t)
	h, err := host.Tree(root)
	if err != nil {
		t.Fatal(err)
	}
	c := newCollector(t, pgtest.New(t))
	a := enroll(t, c, c.agents, newMachine(120, "S1"))
	a.Collect = func(ctx context.Context) link.Inventory {
		r := section.Run(ctx, h, []section.Collector{software.Collector()})[0]
		return link.Inventory{Sections: []link.Section{link.NewSection(r.Section, r.Status, r.Message, r.Duration, r.Items)}}
	}
	lifeCycle(t, d, c, func() string {
		a.mustSync(t)
		return c.deviceOf(t, a.id(t))
	})
}

// TestPackageLifeCycleOnThisMachine does the same with the real agent and this machine's own
// packages. It runs before the parallel tests, some of which read this machine, too.
func TestPackageLifeCycleOnThisMachine(t *testing.T) { //nolint:paralleltest // it changes this machine
	if os.Getenv("MUSTER_TEST_APT") != "1" {
		t.Skip("it installs a package on this machine: MUSTER_TEST_APT=1 lets it")
	}
	var d dpkg
	t.Cleanup(func() { _ = exec.Command("dpkg", "--purge", probe).Run() })
	c := newCollector(t, pgtest.New(t))
	dir := enrollProgram(t, c, c.agents)
	lifeCycle(t, d, c, func() string {
		if _, err := program(t, nil, "sync", "--state", dir); err != nil {
			t.Fatal(err)
		}
		return c.deviceOf(t, statusOf(t, dir).AgentID)
	})
}
