package service

import (
	"os/exec"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/musterhq/muster/agent/host"
	"github.com/musterhq/muster/agent/section/hosttest"
)

// The start types of the forest and of this machine equal those of systemctl, if it is installed.
// systemctl also lists units that are not services here: templates without instances, aliases, and
// links to missing unit files ("bad").
func TestStartTypesAreThoseOfSystemctl(t *testing.T) {
	t.Parallel()
	systemctl, err := exec.LookPath("systemctl")
	if err != nil {
		t.Skip("there is no systemctl here")
	}
	local := host.Local()
	for name, h := range map[string]*host.Host{"forest": hosttest.Tree(t, forest), "this machine": local} {
		root, err := h.Path("/")
		if err != nil {
			t.Fatal(err)
		}
		out, err := exec.CommandContext(t.Context(), systemctl, "--root="+root, "list-unit-files", "--type=service", "--no-legend", "--no-pager").Output()
		if err != nil {
			t.Skipf("systemctl: %v", err)
		}
		want := map[string]string{}
		for line := range strings.Lines(string(out)) {
			f := strings.Fields(line)
			if len(f) >= 2 && f[1] != "alias" && f[1] != "bad" && f[1] != "generated" && !isTemplate(f[0]) {
				want[f[0]] = f[1]
			}
		}
		u := readUnits(t.Context(), h)
		got := map[string]string{}
		for _, s := range u.services() {
			if instanceOf(s.Name) == "" {
				got[s.Name] = s.StartType
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-systemctl +got):\n%s", name, diff)
		}
	}
}
