package printer

import (
	"encoding/json"
	"os"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/testing/protocmp"

	"github.com/musterhq/muster/agent/host"
	"github.com/musterhq/muster/agent/section/hosttest"
	inventoryv1 "github.com/musterhq/muster/proto/muster/inventory/v1"
)

func TestWindows(t *testing.T) {
	t.Parallel()
	const ann, bob = remoteProvider + `\S-1-5-21-1-2-3-1001`, remoteProvider + `\S-1-5-21-1-2-3-1002`
	h := hosttest.Windows(t, map[string]map[string]any{
		queuesKey + `\Office`: {
			"Name": "Office", "Printer Driver": "HP Universal Printing PCL 6", "Port": "IP_10.0.0.7", "Location": "2nd floor",
			"Description": "color", "Attributes": uint32(0x48),
		},
		networkPort + `IP_10.0.0.7`:                                 {"HostName": "printer.example.com", "IPAddress": "10.0.0.7", "PortNumber": uint32(9100), "Protocol": uint32(1)},
		queuesKey + `\Line`:                                         {"Port": "LPR", "Attributes": uint32(0x40)},
		networkPort + `LPR`:                                         {"IPAddress": "10.0.0.8", "Protocol": uint32(2), "Queue": "lp"},
		queuesKey + `\PDF`:                                          {"Name": "Microsoft Print to PDF", "Port": "PORTPROMPT:"},
		queuesKey + `\IPP`:                                          {"Port": "http://ann:secret@print.example.com:631/ipp?x=1"},
		queuesKey + `\WSD`:                                          {"Port": "WSD-1f7e"},
		queuesKey + `\Odd`:                                          {"Port": "ABC"},
		queuesKey + `\Redirected`:                                   {"Port": "TS001", "Attributes": uint32(0x8040)},
		ann + `\Printers\Connections\,,srv1,Big printer`:            {"GuidPrinter": "{1}"},
		bob + `\Printers\Connections\,,SRV1,big PRINTER`:            {"GuidPrinter": "{1}"},
		bob + `\Printers\Connections\broken`:                        {},
		remoteProvider + `\Servers\srv1\Printers\{1}`:               {"Printer Driver": "Kyocera", "Location": "hall"},
		remoteProvider + `\Servers\srv2\Printers\{2}`:               {"Printer Driver": "no longer used"},
		machineWide + `\,,srv3,All`:                                 {"Server": `\\srv3`},
		remoteProvider + `\S-1-5-18`:                                {},
		host.DeviceKey + `USBPRINT\X\6&1&USB001\Device Parameters`:  {"PortName": "USB001"},
		host.DeviceKey + `USB\VID_04B8&PID_0007\55PKB5Z11418880717`: {"ParentIdPrefix": "6&1"},
		queuesKey + `\Local`:                                        {"Port": "USB001", "Printer Driver": "EPSON"},
	})
	items, err := collect(t.Context(), h)
	if err != nil {
		t.Fatal(err)
	}
	yes, no := proto.Bool(true), proto.Bool(false)
	want := []proto.Message{
		&inventoryv1.Printer{Name: "IPP", Uri: "http://print.example.com:631/ipp", IsNetwork: yes, IsShared: no},
		&inventoryv1.Printer{Name: "Line", Uri: "lpd://10.0.0.8/lp", IsNetwork: yes, IsShared: no},
		&inventoryv1.Printer{Name: "Local", Driver: "EPSON", Uri: "USB001", SerialNumber: "55PKB5Z11418880717", IsNetwork: no, IsShared: no},
		&inventoryv1.Printer{Name: "Odd", Uri: "ABC", IsShared: no},
		&inventoryv1.Printer{
			Name: "Office", Driver: "HP Universal Printing PCL 6", Uri: "socket://printer.example.com:9100", Description: "color",
			Location: "2nd floor", IsNetwork: yes, IsShared: yes,
		},
		&inventoryv1.Printer{Name: "Microsoft Print to PDF", Uri: "PORTPROMPT:", IsNetwork: no, IsShared: no},
		&inventoryv1.Printer{Name: "WSD", Uri: "WSD-1f7e", IsNetwork: yes, IsShared: no},
		&inventoryv1.Printer{Name: `\\srv3\All`, Uri: `\\srv3\All`, IsNetwork: yes},
		&inventoryv1.Printer{Name: `\\srv1\Big printer`, Uri: `\\srv1\Big printer`, Driver: "Kyocera", Location: "hall", IsNetwork: yes},
	}
	if diff := gocmp.Diff(want, items, protocmp.Transform()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// ofSeveralFunctions is a printer that is one of several functions of its USB device. glpi-agent
// does not look for the serial number above the function.
const ofSeveralFunctions, itsSerial = "xppro2 USB004", "00CNBW86S20B"

// TestWindowsSerials has the serial numbers that glpi-agent expects of the same registries.
func TestWindowsSerials(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile(hosttest.Corpus(t, "glpi-agent", "expected", "windows-printers.json"))
	if err != nil {
		t.Fatal(err)
	}
	var expected struct {
		Tests map[string]struct {
			Files    []string
			Expected map[string]string
		}
	}
	if err := json.Unmarshal(text, &expected); err != nil {
		t.Fatal(err)
	}
	compared := 0
	for name, test := range expected.Tests {
		var files []string
		for _, file := range test.Files {
			if strings.HasSuffix(file, ".reg") {
				files = append(files, hosttest.Corpus(t, "glpi-agent", file))
			}
		}
		r := hosttest.RegFiles(t, files...)
		for port := range test.Expected {
			r.Add(queuesKey+`\`+port, map[string]host.RegistryValue{"Port": host.TextValue(port)})
		}
		items, err := collect(t.Context(), hosttest.WindowsMachine(t, r, nil))
		if err != nil {
			t.Fatal(err)
		}
		for _, message := range items {
			item, _ := message.(*inventoryv1.Printer)
			want := test.Expected[item.Uri]
			if name+" "+item.Uri == ofSeveralFunctions {
				want = itsSerial
			}
			if item.SerialNumber != want {
				t.Errorf("%s, %s: got %q, want %q", name, item.Uri, item.SerialNumber, want)
			}
			compared++
		}
	}
	if compared < 8 {
		t.Errorf("only %d ports", compared)
	}
}
