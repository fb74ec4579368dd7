package e2e

import (
	"encoding/xml"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/musterhq/muster/internal/pgtest"
)

// fusionInventory is the real FusionInventory agent with its own state.
type fusionInventory struct {
	dir string
}

func newFusionInventory(t testing.TB) fusionInventory {
	t.Helper()
	setup, err := exec.Command("fusioninventory-agent", "--setup").Output()
	if err != nil {
		t.Skipf("fusioninventory-agent is not installed (Debian has it as a package of that name): %v", err)
	}
	a := fusionInventory{t.TempDir()}
	// The agent reads its directories from a Perl module. This one is loaded before it and moves
	// the directory that it writes to.
	var module strings.Builder
	module.WriteString("package setup;\nuse parent qw(Exporter);\nour @EXPORT = ('%setup');\nour %setup = (\n")
	for line := range strings.Lines(string(setup)) {
		name, dir, _ := strings.Cut(strings.TrimSpace(line), ": ")
		if name == "vardir" {
			dir = filepath.Join(a.dir, "var")
		}
		fmt.Fprintf(&module, "%s => '%s',\n", name, dir)
	}
	module.WriteString(");\n1;\n")
	if err := os.WriteFile(filepath.Join(a.dir, "setup.pm"), []byte(module.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(a.dir, "var"), 0o700); err != nil {
		t.Fatal(err)
	}
	return a
}

// run runs the agent once. Its exit code is always 0, so only its log shows the result.
func (a fusionInventory) run(t testing.TB, args ...string) (log string) {
	t.Helper()
	cmd := exec.Command("fusioninventory-agent", append([]string{"--no-httpd", "--logger=stderr", "--debug"}, args...)...)
	cmd.Env = append(os.Environ(), "PERL5LIB="+a.dir, "PERL5OPT=-Msetup")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("fusioninventory-agent %v: %v\n%s", args, err, tail(string(out), 2000))
	}
	return string(out)
}

// report makes the agent report to a collector.
func (a fusionInventory) report(t testing.TB, c *collector, password string, args ...string) (log string) {
	t.Helper()
	return a.run(t, append([]string{
		"--server=" + c.glpi + "/", "--ca-cert-file=" + filepath.Join(c.dir, "ca.pem"), "--user=muster", "--password=" + password,
	}, args...)...)
}

// mustReport is report, and fails the test on an error.
func (a fusionInventory) mustReport(t testing.TB, c *collector, args ...string) {
	t.Helper()
	password, err := os.ReadFile(filepath.Join(c.dir, "glpi.token"))
	if err != nil {
		t.Fatal(err)
	}
	log := a.report(t, c, strings.TrimSpace(string(password)), args...)
	if strings.Contains(log, "[error]") || !strings.Contains(log, "running task Inventory") {
		t.Errorf("the agent is not content:\n%s", tail(log, 2000))
	}
}

// found is the agent's inventory of this machine, as it writes it to a file.
type found struct {
	DeviceID string         `xml:"DEVICEID"`
	Name     string         `xml:"CONTENT>HARDWARE>NAME"`
	Software []foundPackage `xml:"CONTENT>SOFTWARES"`
}

type foundPackage struct {
	Name    string `json:"name" xml:"NAME"`
	Version string `json:"version" xml:"VERSION"`
	Arch    string `json:"arch" xml:"ARCH"`
}

func (a fusionInventory) finds(t testing.TB) found {
	t.Helper()
	file := filepath.Join(t.TempDir(), "inventory.xml")
	a.run(t, "--local="+file)
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var f found
	if err := xml.Unmarshal(text, &f); err != nil {
		t.Fatal(err)
	}
	if len(f.Software) == 0 {
		t.Skip("fusioninventory-agent finds no software on this machine")
	}
	sortPackages(f.Software)
	return f
}

func sortPackages(list []foundPackage) {
	slices.SortFunc(list, func(a, b foundPackage) int {
		return slices.Compare([]string{a.Name, a.Arch, a.Version}, []string{b.Name, b.Arch, b.Version})
	})
}

// TestFusionInventoryAgent makes the real agent report over verified TLS. The API returns what the
// agent found. A second report changes nothing.
func TestFusionInventoryAgent(t *testing.T) {
	t.Parallel()
	a := newFusionInventory(t)
	c := newCollector(t, pgtest.New(t), "--glpi-addr", "127.0.0.1:0")

	if log := a.report(t, c, "not the password"); !strings.Contains(log, "wrong credentials") {
		t.Errorf("with a wrong password the agent says:\n%s", tail(log, 1000))
	}
	if devices := c.devices(t); len(devices) > 0 {
		t.Fatalf("with a wrong password there is %v", devices)
	}

	before := a.finds(t)
	a.mustReport(t, c)
	devices := c.devices(t)
	if len(devices) != 1 || devices[0].Name != before.Name {
		t.Fatalf("got the devices %+v, want one with the name %s", devices, before.Name)
	}
	checkReported(t, c, devices[0].ID, before)

	// Uncompressed, the message is large, and most of it is on its way when the collector asks for
	// the password.
	for _, how := range [][]string{nil, {"--no-compression"}} {
		a.mustReport(t, c, append(how, "--force")...)
		if again := c.devices(t); !cmp.Equal(devices, again) {
			t.Errorf("after another report %v: %+v, want %+v", how, again, devices)
		}
	}
	if diff := cmp.Diff(before, a.finds(t)); diff != "" {
		t.Skipf("this machine changed meanwhile (-before +now):\n%s", diff)
	}
	checkFeed(t, c, devices[0].ID, nil)
}

// checkReported compares a device in the API with what the agent found.
func checkReported(t testing.TB, c *collector, device string, want found) {
	t.Helper()
	got := list[foundPackage](t, c, "/api/v1/devices/"+device+"/software", nil)
	sortPackages(got)
	if diff := cmp.Diff(want.Software, got); diff != "" {
		t.Errorf("software (-the agent's +the API's):\n%s", diff)
	}
	identity := get[struct {
		Records []struct {
			Source    string `json:"source"`
			NativeKey string `json:"native_key"`
		} `json:"records"`
	}](t, c, "/api/v1/cis/"+device+"/identity")
	if len(identity.Records) != 1 || identity.Records[0].Source != "fusioninventory" || identity.Records[0].NativeKey != want.DeviceID {
		t.Errorf("the device is known by %+v", identity.Records)
	}
}
