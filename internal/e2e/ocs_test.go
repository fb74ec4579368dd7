package e2e

import (
	"encoding/base64"
	"encoding/xml"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/musterhq/muster/internal/pgtest"
)

// ocs runs the real agent of OCS Inventory once, with its own state in dir.
func ocs(t testing.TB, dir string, args ...string) (log string) {
	t.Helper()
	cmd := exec.Command("ocsinventory-agent", append([]string{
		"--basevardir=" + dir, "--debug", "--force", "--proxy=", "--tag=", "--wait=0", "--remotedir=", "--logfile=",
	}, args...)...)
	cmd.Env = append(withoutProxy(os.Environ()), "HOME="+dir)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("ocsinventory-agent %v: %v\n%s", args, err, tail(string(out), 2000))
	}
	return string(out)
}

// withoutProxy leaves out the variables that send requests elsewhere.
func withoutProxy(environment []string) []string {
	return slices.DeleteFunc(environment, func(variable string) bool {
		name, _, _ := strings.Cut(strings.ToLower(variable), "=")
		return strings.HasSuffix(name, "_proxy") || name == "home"
	})
}

// ocsUsable skips the test if the agent of this machine is not one that the test can control: it is
// missing or broken, or it has settings of its own, for example for the server of a company.
func ocsUsable(t testing.TB) {
	t.Helper()
	if _, err := exec.LookPath("ocsinventory-agent"); err != nil {
		t.Skipf("ocsinventory-agent is not installed (Debian has it as a package of that name): %v", err)
	}
	for _, dir := range []string{"/etc/ocsinventory", "/usr/local/etc/ocsinventory", "/etc/ocsinventory-agent"} {
		text, err := os.ReadFile(filepath.Join(dir, "ocsinventory-agent.cfg"))
		if err != nil {
			continue
		}
		for line := range strings.Lines(string(text)) {
			name, _, set := strings.Cut(strings.TrimSpace(line), "=")
			if set && !strings.HasPrefix(name, "#") && !slices.Contains([]string{"server", "basevardir"}, strings.TrimSpace(name)) {
				t.Skipf("the agent of this machine has settings of its own in %s: %s", dir, strings.TrimSpace(line))
			}
		}
	}
	for _, module := range []string{"LWP::Protocol::https", "XML::Simple"} {
		if out, err := exec.Command("perl", "-M"+module, "-e", "1").CombinedOutput(); err != nil {
			t.Skipf("ocsinventory-agent cannot use TLS here: perl has no %s: %v %s", module, err, out)
		}
	}
}

// TestOCSAgent makes the real agent report twice. The API returns its machine and software, and the
// second report changes nothing.
func TestOCSAgent(t *testing.T) {
	t.Parallel()
	ocsUsable(t)
	c := newCollector(t, pgtest.New(t), "--glpi-addr", "127.0.0.1:0")
	password, err := os.ReadFile(filepath.Join(c.dir, "glpi.token"))
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	var first []device
	for range 2 {
		log := ocs(t, dir, "--server="+c.glpi+"/ocsinventory", "--ssl=1", "--ca="+filepath.Join(c.dir, "ca.pem"), "--realm=muster",
			"--user="+base64.StdEncoding.EncodeToString([]byte("muster")),
			"--password="+base64.StdEncoding.EncodeToString([]byte(strings.TrimSpace(string(password)))))
		if strings.Contains(log, "[error]") {
			t.Fatalf("the agent is not content:\n%s", tail(log, 2000))
		}
		devices := c.devices(t)
		if len(devices) != 1 || first != nil && !cmp.Equal(first, devices) {
			t.Fatalf("got the devices %+v, want one, as before: %+v", devices, first)
		}
		first = devices
	}
	if got, want := len(list[foundPackage](t, c, "/api/v1/devices/"+first[0].ID+"/software", nil)), len(ocsFinds(t, dir)); got != want {
		t.Errorf("got %d packages, want the %d that the agent finds", got, want)
	}
	checkFeed(t, c, first[0].ID, nil)
}

// ocsFinds returns the packages that the agent finds on this machine.
func ocsFinds(t testing.TB, dir string) map[foundPackage]bool {
	t.Helper()
	local := t.TempDir()
	ocs(t, dir, "--local="+local)
	files, err := filepath.Glob(filepath.Join(local, "*"))
	if err != nil || len(files) != 1 {
		t.Fatalf("the agent wrote %v: %v", files, err)
	}
	text, err := os.ReadFile(files[0])
	if err != nil {
		t.Fatal(err)
	}
	var f found
	if err := xml.Unmarshal(text, &f); err != nil {
		t.Fatal(err)
	}
	distinct := map[foundPackage]bool{}
	for _, p := range f.Software {
		distinct[p] = true
	}
	return distinct
}
