package printer

import (
	"errors"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/testing/protocmp"

	"github.com/musterhq/muster/agent/host"
	"github.com/musterhq/muster/agent/section/hosttest"
	inventoryv1 "github.com/musterhq/muster/proto/muster/inventory/v1"
)

const configuration = `# Printer configuration file for CUPS v2.4.2
NextPrinterId 4
<DefaultPrinter Office>
PrinterId 1
UUID urn:uuid:1b6ee0d4-2a22-3c46-5b5c-9a7c3c5e1a11
Info Office printer, second floor
Location 2.14
MakeModel HP LaserJet M404dn, driverless
DeviceURI ipps://hp-office.example.com:631/ipp/print
State Idle
Type 4
Shared Yes
Attribute marker-names {black cartridge}
</DefaultPrinter>
<Printer Label>
Info
DeviceURI usb://Zebra%20Technologies/ZTC%20ZD420?serial=D2J184905113&interface=1
Shared No
</Printer>
<Printer Secret>
DeviceURI smb://EXAMPLE\alice:s3cr@t@print.example.com/queue?password=s3cret
</Printer>
<Printer Local>
DeviceURI ipp://localhost:60000/ipp/print
</Printer>
`

func TestCollect(t *testing.T) {
	t.Parallel()
	got, err := collect(t.Context(), hosttest.Tree(t, map[string]string{
		printers: configuration,
		cups + "/ppd/Label.ppd": "*PPD-Adobe: \"4.3\"\n*NickName:  \"Zebra ZPL Label Printer\"\n" +
			strings.Repeat("*% more\n", maxHeader),
	}))
	if err != nil {
		t.Error(err)
	}
	want := []proto.Message{
		&inventoryv1.Printer{
			Name: "Office", Driver: "HP LaserJet M404dn, driverless", Uri: "ipps://hp-office.example.com:631/ipp/print",
			Description: "Office printer, second floor", Location: "2.14",
			IsNetwork: proto.Bool(true), IsDefault: proto.Bool(true), IsShared: proto.Bool(true),
		},
		&inventoryv1.Printer{
			Name: "Label", Driver: "Zebra ZPL Label Printer", Uri: "usb://Zebra%20Technologies/ZTC%20ZD420",
			SerialNumber: "D2J184905113", IsNetwork: proto.Bool(false), IsDefault: proto.Bool(false), IsShared: proto.Bool(false),
		},
		&inventoryv1.Printer{
			Name: "Secret", Uri: "smb://print.example.com/queue", IsNetwork: proto.Bool(true), IsDefault: proto.Bool(false),
		},
		&inventoryv1.Printer{
			Name: "Local", Uri: "ipp://localhost:60000/ipp/print", IsNetwork: proto.Bool(false), IsDefault: proto.Bool(false),
		},
	}
	if diff := cmp.Diff(want, got, protocmp.Transform()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestAbsent(t *testing.T) {
	t.Parallel()
	if _, err := collect(t.Context(), hosttest.Tree(t, nil)); !errors.Is(err, host.ErrUnsupported) {
		t.Errorf("no CUPS: error %v, want %v", err, host.ErrUnsupported)
	}
	items, err := collect(t.Context(), hosttest.Tree(t, map[string]string{cups + "/": ""}))
	if len(items) > 0 || err != nil {
		t.Errorf("CUPS without a queue: %v, %v", items, err)
	}
	items, err = collect(t.Context(), hosttest.Tree(t, map[string]string{printers: configuration[:300]}))
	if len(items) != 1 || err == nil {
		t.Errorf("a file that ends early: %v, %v", items, err)
	}
}

func FuzzParse(f *testing.F) {
	f.Add(configuration)
	f.Add("<Printer >\nDeviceURI hp:/net/x?ip=1\n<Printer a\n</Printer>")
	f.Fuzz(func(t *testing.T, text string) {
		queues, err := parse(text)
		for _, q := range queues {
			if q.Name == "" || err == nil && utf8.ValidString(text) && !utf8.ValidString(q.Uri) {
				t.Errorf("%q: %v", text, q)
			}
			if scheme, rest, found := strings.Cut(q.Uri, "://"); found && strings.Contains(rest, "@") {
				t.Errorf("%s address may contain a password: %q", scheme, q.Uri)
			}
		}
	})
}
