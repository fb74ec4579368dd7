package service

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/testing/protocmp"

	"github.com/musterhq/muster/agent/host"
	"github.com/musterhq/muster/agent/section"
	"github.com/musterhq/muster/agent/section/hosttest"
	"github.com/musterhq/muster/internal/inventory"
	inventoryv1 "github.com/musterhq/muster/proto/muster/inventory/v1"
)

func collectAll(t *testing.T, files map[string]string) (map[string]*inventoryv1.Service, section.Report) {
	t.Helper()
	report := section.Run(t.Context(), hosttest.Tree(t, files), []section.Collector{Collector()})[0]
	found := map[string]*inventoryv1.Service{}
	for _, item := range report.Items {
		s := item.(*inventoryv1.Service)
		if found[s.Name] != nil {
			t.Errorf("%s is there twice", s.Name)
		}
		found[s.Name] = s
	}
	return found, report
}

const (
	vendorDir = "/usr/lib/systemd/system/"
	adminDir  = "/etc/systemd/system/"
	simple    = "[Service]\nExecStart=/bin/true\n"
	wanted    = simple + "[Install]\nWantedBy=multi-user.target\n"
)

// forest has a unit of each type. startTypes are the results of systemctl for them.
var forest = map[string]string{
	"/lib":                             "-> usr/lib",
	vendorDir + "enabled.service":      wanted,
	vendorDir + "disabled.service":     wanted,
	vendorDir + "static.service":       simple,
	vendorDir + "also.service":         simple + "[Install]\nAlso=enabled.service\n",
	vendorDir + "masked.service":       wanted,
	vendorDir + "vendormask.service":   "-> /dev/null",
	vendorDir + "empty.service":        "",
	vendorDir + "aliased.service":      simple + "[Install]\nAlias=nickname.service\n",
	vendorDir + "foreign.service":      wanted,
	vendorDir + "vendoralias.service":  "-> static.service",
	vendorDir + "overridden.service":   wanted,
	vendorDir + "vendorwanted.service": wanted,
	vendorDir + "runtime.service":      wanted,
	vendorDir + "dropin.service":       simple,
	vendorDir + "tpl@.service":         "[Unit]\nDescription=Copy of %i\n" + wanted,
	vendorDir + "dflt@.service":        simple + "[Install]\nWantedBy=multi-user.target\nDefaultInstance=one\n",
	vendorDir + "unused@.service":      wanted,

	vendorDir + "multi-user.target.wants/vendorwanted.service": "-> ../vendorwanted.service",
	vendorDir + "multi-user.target.wants/tpl@shipped.service":  "-> ../tpl@.service",
	vendorDir + "not-a-service.socket":                         "[Socket]\n",

	adminDir + "masked.service":                                   "-> /dev/null",
	adminDir + "nickname.service":                                 "-> /usr/lib/systemd/system/aliased.service",
	adminDir + "stranger.service":                                 "-> /usr/lib/systemd/system/foreign.service",
	adminDir + "overridden.service":                               simple,
	adminDir + "linked.service":                                   "-> /opt/linked/linked.service",
	adminDir + "linkedwanted.service":                             "-> /opt/linked/linkedwanted.service",
	adminDir + "dead.service":                                     "-> /opt/gone/dead.service",
	adminDir + "dropin.service.d/install.conf":                    "[Install]\nWantedBy=multi-user.target\n",
	adminDir + "multi-user.target.wants/enabled.service":          "-> /lib/systemd/system/enabled.service",
	adminDir + "multi-user.target.wants/linkedwanted.service":     "-> /opt/linked/linkedwanted.service",
	adminDir + "multi-user.target.wants/tpl@a.service":            "-> /lib/systemd/system/tpl@.service",
	adminDir + "multi-user.target.requires/dflt@one.service":      "-> /lib/systemd/system/dflt@.service",
	adminDir + "multi-user.target.wants/ghost@x.service":          "-> /lib/systemd/system/ghost@.service",
	"/run/systemd/system/multi-user.target.wants/runtime.service": "-> /lib/systemd/system/runtime.service",

	"/opt/linked/linked.service":       wanted,
	"/opt/linked/linkedwanted.service": wanted,
}

var startTypes = map[string]string{
	"enabled.service": "enabled", "disabled.service": "disabled", "static.service": "static", "also.service": "indirect",
	"masked.service": "masked", "vendormask.service": "masked", "empty.service": "masked", "aliased.service": "enabled",
	"foreign.service": "indirect", "overridden.service": "static", "vendorwanted.service": "disabled",
	"runtime.service": "enabled-runtime", "dropin.service": "disabled", "linked.service": "linked", "linkedwanted.service": "enabled",
	"tpl@a.service": "enabled", "tpl@shipped.service": "static", "dflt@one.service": "enabled",
}

func TestStartTypes(t *testing.T) {
	t.Parallel()
	found, report := collectAll(t, forest)
	got := map[string]string{}
	for name, s := range found {
		got[name] = s.StartType
	}
	if diff := cmp.Diff(startTypes, got); diff != "" {
		t.Errorf("start types (-want +got):\n%s", diff)
	}
	if report.Status != inventory.StatusOK {
		t.Errorf("status %s: %s", report.Status, report.Message)
	}
	if got := found["tpl@a.service"].DisplayName; got != "Copy of a" {
		t.Errorf("instance's name %q", got)
	}
}

func TestDropins(t *testing.T) {
	t.Parallel()
	got, _ := collectAll(t, map[string]string{
		vendorDir + "foo-bar.service":                 "[Unit]\nDescription=Foo\n[Service]\nUser=foo\nExecStart=/usr/bin/foo --bar\nExecStart=/usr/bin/second\n",
		vendorDir + "foo-bar.service.d/50-a.conf":     "[Service]\nUser=hidden\n",
		adminDir + "foo-bar.service.d/50-a.conf":      "[Service]\nUser=bar\n",
		adminDir + "foo-bar.service.d/60-b.conf":      "[Service]\nExecStart=\nExecStart=-/opt/foo/bin/foo\n",
		adminDir + "foo-bar.service.d/README":         "[Service]\nUser=readme\n",
		adminDir + "foo-.service.d/10-all.conf":       "[Unit]\nDescription=Foo, of ours\n",
		vendorDir + "tpl@.service":                    "[Service]\nUser=%i\nExecStart=/bin/a\n",
		vendorDir + "tpl@.service.d/x.conf":           "[Service]\nExecStart=\nExecStart=/bin/b\n",
		adminDir + "tpl@x.service.d/y.conf":           "[Unit]\nDescription=Only this one\n",
		adminDir + "getty.target.wants/tpl@x.service": "-> /usr/lib/systemd/system/tpl@.service",
	})
	want := map[string]*inventoryv1.Service{
		"foo-bar.service": {Name: "foo-bar.service", DisplayName: "Foo, of ours", StartType: "static", ExePath: "/opt/foo/bin/foo", RunAs: "bar"},
		"tpl@x.service":   {Name: "tpl@x.service", DisplayName: "Only this one", StartType: "enabled", ExePath: "/bin/b", RunAs: "x"},
	}
	if diff := cmp.Diff(want, got, protocmp.Transform()); diff != "" {
		t.Errorf("services (-want +got):\n%s", diff)
	}
}

func TestRunningByControlGroups(t *testing.T) {
	t.Parallel()
	got, _ := collectAll(t, map[string]string{
		vendorDir + "ssh.service":                                                        simple,
		vendorDir + "done.service":                                                       simple,
		vendorDir + "getty@.service":                                                     simple,
		adminDir + "getty.target.wants/getty@tty1.service":                               "-> /usr/lib/systemd/system/getty@.service",
		"/sys/fs/cgroup/system.slice/ssh.service/cgroup.procs":                           "812\n",
		"/sys/fs/cgroup/system.slice/done.service/cgroup.procs":                          "",
		"/sys/fs/cgroup/system.slice/system-getty.slice/getty@tty1.service/cgroup.procs": "900\n",
		"/sys/fs/cgroup/system.slice/cron.service/cgroup.procs":                          "77\n", // no unit of that name
	})
	states := map[string]string{}
	for name, s := range got {
		states[name] = s.State
	}
	want := map[string]string{"ssh.service": "running", "done.service": "", "getty@tty1.service": "running"}
	if diff := cmp.Diff(want, states); diff != "" {
		t.Errorf("states (-want +got):\n%s", diff)
	}
}

func TestState(t *testing.T) {
	t.Parallel()
	for unit, want := range map[host.SystemdUnit]string{
		{Active: "active", Sub: "running"}: "running", {Active: "active", Sub: "exited"}: "exited", {Active: "inactive", Sub: "dead"}: "stopped",
		{Active: "failed", Sub: "failed"}: "failed", {Active: "activating", Sub: "auto-restart"}: "activating",
	} {
		if got := state(unit); got != want {
			t.Errorf("state(%v) = %q, want %q", unit, got, want)
		}
	}
}

func TestScripts(t *testing.T) {
	t.Parallel()
	const lsb = "#!/bin/sh\n### BEGIN INIT INFO\n# Provides: foo\n# Short-Description: The foo daemon\n### END INIT INFO\n# Short-Description: no\n"
	got, _ := collectAll(t, map[string]string{
		"/etc/init.d/foo":             lsb,
		"/etc/init.d/off":             lsb,
		"/etc/init.d/covered":         lsb,
		"/etc/init.d/hwclock.sh":      lsb,
		"/etc/init.d/functions":       "# functions\n",
		"/etc/init.d/dir/":            "",
		"/etc/rc3.d/S20foo":           "-> ../init.d/foo",
		"/etc/rc3.d/K20off":           "-> ../init.d/off",
		"/etc/rc6.d/S20off":           "-> ../init.d/off",
		adminDir + "covered.service":  simple,
		vendorDir + "hwclock.service": "-> /dev/null",
	})
	want := map[string]*inventoryv1.Service{
		"foo":             {Name: "foo", DisplayName: "The foo daemon", StartType: "enabled", ExePath: "/etc/init.d/foo"},
		"off":             {Name: "off", DisplayName: "The foo daemon", StartType: "disabled", ExePath: "/etc/init.d/off"},
		"covered.service": {Name: "covered.service", StartType: "static", ExePath: "/bin/true"},
		"hwclock.service": {Name: "hwclock.service", StartType: "masked"},
	}
	if diff := cmp.Diff(want, got, protocmp.Transform()); diff != "" {
		t.Errorf("services (-want +got):\n%s", diff)
	}
}

func TestOpenRC(t *testing.T) {
	t.Parallel()
	got, _ := collectAll(t, map[string]string{
		"/etc/init.d/nginx":            "#!/sbin/openrc-run\ndescription=\"Nginx http and reverse proxy server\"\ncommand=/usr/sbin/nginx\ncommand_user=\"nginx:nginx\"\n",
		"/etc/init.d/chronyd":          "#!/sbin/openrc-run\nname='chrony'\ncommand=\"/usr/sbin/$RC_SVCNAME\"\n",
		"/etc/init.d/functions.sh":     "#!/bin/sh\n",
		"/etc/runlevels/default/nginx": "-> /etc/init.d/nginx",
		"/run/openrc/started/nginx":    "-> /etc/init.d/nginx",
	})
	want := map[string]*inventoryv1.Service{
		"nginx":   {Name: "nginx", DisplayName: "Nginx http and reverse proxy server", StartType: "enabled", ExePath: "/usr/sbin/nginx", RunAs: "nginx", State: "started"},
		"chronyd": {Name: "chronyd", DisplayName: "chrony", StartType: "disabled"},
	}
	if diff := cmp.Diff(want, got, protocmp.Transform()); diff != "" {
		t.Errorf("services (-want +got):\n%s", diff)
	}
}

func TestOneBadUnitAffectsNothingElse(t *testing.T) {
	t.Parallel()
	got, report := collectAll(t, map[string]string{
		vendorDir + "good.service":       simple,
		vendorDir + "huge.service":       strings.Repeat("x", maxUnit+1),
		vendorDir + "long.service":       "[Unit]\nDescription=" + strings.Repeat("y", 100<<10) + "\n" + simple,
		vendorDir + "nul.service":        "[Unit]\x00\nDescription=a\x00b\n",
		vendorDir + "circle.service":     "-> circle.service",
		vendorDir + "directory.service/": "",
	})
	if report.Status != inventory.StatusPartial || !strings.Contains(report.Message, "huge.service") {
		t.Errorf("status %s: %s", report.Status, report.Message)
	}
	if diff := cmp.Diff(&inventoryv1.Service{Name: "huge.service"}, got["huge.service"], protocmp.Transform()); diff != "" {
		t.Errorf("huge (-want +got):\n%s", diff)
	}
	if got["good.service"].GetExePath() != "/bin/true" || got["long.service"].GetExePath() != "/bin/true" || got["directory.service"] != nil {
		t.Errorf("got %v", got)
	}
}

func TestNoServiceManager(t *testing.T) {
	t.Parallel()
	if _, report := collectAll(t, map[string]string{"/etc/": ""}); report.Status != inventory.StatusUnsupported {
		t.Errorf("status %s: %s", report.Status, report.Message)
	}
}

func BenchmarkCollect(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, err := collect(b.Context(), host.Local()); err != nil {
			b.Fatal(err)
		}
	}
}
