package ioregistry

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const sample = `<?xml version="1.0" encoding="UTF-8"?><plist version="1.0"><array><dict>
<key>vendor-id</key><data>hoAAAA==</data><key>class-code</key><data>AAADAA==</data><key>short</key><data>AA==</data>
<key>model</key><data>SW50ZWwgSXJpcwAA</data><key>name</key><string> en0 </string><key>empty</key><data>AA==</data>
<key>negative</key><integer>-1</integer><key>idVendor</key><integer>1452</integer>
<key>built</key><true/><key>non-removable</key><string>no</string>
<key>BatteryData</key><dict><key>CycleCount</key><integer>7</integer></dict>
<key>IORegistryEntryChildren</key><array><dict><key>name</key><string>child</string></dict><string>x</string></array>
</dict></array></plist>`

func TestNode(t *testing.T) {
	t.Parallel()
	nodes, err := Parse([]byte(sample))
	if err != nil || len(nodes) != 1 {
		t.Fatalf("%v, %v", nodes, err)
	}
	n := nodes[0]
	for got, want := range map[string]string{
		n.Text("missing", "empty", "model"): "Intel Iris",
		n.Text("name"):                      "en0",
		n.Text("idVendor"):                  "",
		n.Hex("vendor-id", 4):               "8086",
		n.Hex("class-code", 6):              "030000",
		n.Hex("idVendor", 2):                "",
		n.Hex("short", 2):                   "",
		n.Hex("missing", 2):                 "",
		n.Children()[0].Text("name"):        "child",
	} {
		if got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
	if value, known := n.Number("missing", "idVendor"); value != 1452 || !known {
		t.Errorf("idVendor %d, %v", value, known)
	}
	if value, known := n.Number("negative"); value != 1<<64-1 || !known {
		t.Errorf("-1: %d, %v", value, known)
	}
	if value, known := n.Group("BatteryData").Number("CycleCount"); value != 7 || !known {
		t.Errorf("cycles %d, %v", value, known)
	}
	answers := map[string][2]bool{}
	for _, name := range []string{"built", "non-removable", "missing"} {
		yes, known := n.Yes(name)
		answers[name] = [2]bool{yes, known}
	}
	want := map[string][2]bool{"built": {true, true}, "non-removable": {false, true}, "missing": {false, false}}
	if diff := cmp.Diff(want, answers); diff != "" {
		t.Errorf("answers (-want +got):\n%s", diff)
	}
}

func TestParse(t *testing.T) {
	t.Parallel()
	if nodes, err := Parse([]byte("\n")); nodes != nil || err != nil {
		t.Errorf("no object: %v, %v", nodes, err)
	}
	for _, text := range []string{"bplist00", "+-o Root", "<?xml version='1.0'?><plist><dict/></plist>"} {
		if _, err := Parse([]byte(text)); err == nil {
			t.Errorf("%s: no error", text)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(sample))
	f.Add([]byte(strings.ReplaceAll(sample, "data", "string")))
	f.Fuzz(func(_ *testing.T, data []byte) {
		nodes, err := Parse(data)
		if err != nil {
			return
		}
		for _, n := range nodes {
			for _, node := range append(n.Children(), n, n.Group("BatteryData")) {
				node.Text("name")
				node.Number("idVendor")
				node.Hex("vendor-id", 4)
				node.Yes("built")
			}
		}
	})
}
