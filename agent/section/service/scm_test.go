package service

import (
	"strings"
	"testing"
	"unicode/utf8"

	gocmp "github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/testing/protocmp"

	"github.com/musterhq/muster/agent/host"
	"github.com/musterhq/muster/agent/section/hosttest"
	inventoryv1 "github.com/musterhq/muster/proto/muster/inventory/v1"
)

func TestCommandPath(t *testing.T) {
	t.Parallel()
	for command, want := range map[string]string{
		`%SystemRoot%\system32\svchost.exe -k netsvcs -p`:          `C:\Windows\system32\svchost.exe`,
		`"C:\Program Files\Muster\muster-agent.exe" run --token x`: `C:\Program Files\Muster\muster-agent.exe`,
		`C:\Program Files\Some Vendor\svc.exe /password=1`:         `C:\Program Files\Some Vendor\svc.exe`,
		`C:\Program Files\x.exeggs\svc.EXE`:                        `C:\Program Files\x.exeggs\svc.EXE`,
		`\SystemRoot\System32\drivers\x.sys`:                       `C:\Windows\System32\drivers\x.sys`,
		`System32\alg.exe`:                                         `C:\Windows\System32\alg.exe`,
		`\??\C:\x\y.exe a`:                                         `C:\x\y.exe`,
		`C:\x\program argument`:                                    `C:\x\program`,
		`"unclosed`:                                                `unclosed`,
		``:                                                         ``,
	} {
		if got := commandPath(command, `C:\Windows`); got != want {
			t.Errorf("%s: got %s, want %s", command, got, want)
		}
	}
}

func TestOfSCM(t *testing.T) {
	t.Parallel()
	h := hosttest.Windows(t, map[string]map[string]any{
		servicesKey + "Spooler": {
			"Start": uint32(2), "DelayedAutostart": uint32(1), "ImagePath": `%SystemRoot%\System32\spoolsv.exe`, "ObjectName": "LocalSystem",
		},
	})
	for _, test := range []struct {
		status host.ServiceStatus
		want   *inventoryv1.Service
	}{
		{host.ServiceStatus{Name: "Spooler", DisplayName: "Print Spooler", State: 4}, &inventoryv1.Service{
			Name: "Spooler", DisplayName: "Print Spooler", State: running, StartType: "automatic-delayed",
			ExePath: `C:\Windows\System32\spoolsv.exe`, RunAs: "LocalSystem",
		}},
		{host.ServiceStatus{Name: "Gone", State: 1}, &inventoryv1.Service{Name: "Gone", State: stopped}},
	} {
		if diff := gocmp.Diff(test.want, ofSCM(h, test.status, `C:\Windows`), protocmp.Transform()); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	}
	for start, want := range map[uint32]string{0: "boot", 1: "system", 2: "automatic", 3: "manual", 4: "disabled", 9: ""} {
		key := host.RegistryKey{Values: map[string]host.RegistryValue{"start": host.DWordValue(start)}}
		if got := startTypeOf(key); got != want {
			t.Errorf("start %d: got %q, want %q", start, got, want)
		}
	}
}

func FuzzCommandPath(f *testing.F) {
	f.Add(`"C:\a b.exe" c`, `C:\Windows`)
	f.Add(`%systemroot%\x.exe y`, "")
	f.Fuzz(func(t *testing.T, command, directory string) {
		path := commandPath(command, directory)
		if utf8.ValidString(command) && utf8.ValidString(directory) && !utf8.ValidString(path) {
			t.Errorf("%q: %q", command, path)
		}
		if strings.HasPrefix(command, `"`) && strings.Contains(path, `"`) && !strings.Contains(directory, `"`) {
			t.Errorf("%q: %q", command, path)
		}
	})
}
