package identify_test

import (
	"slices"
	"testing"

	"github.com/musterhq/muster/internal/identify"
	"github.com/musterhq/muster/internal/inventory"
)

func TestComponentIdentifier(t *testing.T) {
	t.Parallel()
	disk := []inventory.DiskID{{Model: "MZVL2512", SerialNumber: "S64K1", Bus: "nvme"}}
	card := []inventory.InterfaceID{{MAC: "a4:bb:6d:10:20:31", Type: "ethernet"}}
	type raw = inventory.RawIdentifiers
	native := []string{"account:corp|ada"}
	const installID = "1f0c1e7a9d3b4c5e8f6a7b8c9d0e1f21"
	for name, c := range map[string]struct {
		ids  raw
		want inventory.Identifier
	}{
		"none":              {raw{Hostname: "pc-1"}, ""},
		"a placeholder":     {raw{Manufacturer: "Dell", SerialNumber: "To Be Filled By O.E.M."}, ""},
		"a native one":      {raw{Native: native, Manufacturer: "Dell", SerialNumber: "7KNZB12"}, "native:account|corp|ada"},
		"a serial number":   {raw{Manufacturer: "Dell", SerialNumber: "7KNZB12", Disks: disk}, "serial:dell|7knzb12"},
		"without a maker":   {raw{SerialNumber: "7KNZB12", Interfaces: card}, "mac:|a4:bb:6d:10:20:31"},
		"a disk's":          {raw{Disks: disk, Interfaces: card}, "disk:mzvl2512|s64k1"},
		"an installation's": {raw{OSInstallID: installID}, "os:|" + installID},
	} {
		if got := identify.Default().ComponentIdentifier(c.ids); got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}

// TestComponentKey: with an identifier a component has one key everywhere, without one a key at
// each observer, and components of two classes never share a key.
func TestComponentKey(t *testing.T) {
	t.Parallel()
	monitor := inventory.Component{Class: inventory.ClassMonitor, Key: "DP-1"}
	disk := inventory.Component{Class: inventory.ClassStorageDevice, Key: "DP-1"}
	const serial = inventory.Identifier("serial:dell|1")
	if identify.ComponentKey(monitor, serial, 1) != identify.ComponentKey(monitor, serial, 2) {
		t.Error("the key of a monitor with a serial number depends on its observer")
	}
	if identify.ComponentKey(monitor, "", 1) == identify.ComponentKey(monitor, "", 2) {
		t.Error("two monitors without a serial number have one key")
	}
	for _, identifier := range []inventory.Identifier{"", serial} {
		if identify.ComponentKey(monitor, identifier, 1) == identify.ComponentKey(disk, identifier, 1) {
			t.Errorf("a monitor and a disk have one key with identifier %q", identifier)
		}
	}
}

func TestObserversInUse(t *testing.T) {
	t.Parallel()
	type reports = []identify.ComponentReport
	for name, c := range map[string]struct {
		held     []int64
		reported reports
		want     []int64
	}{
		"nobody":                       {},
		"held":                         {held: []int64{2, 1}, want: []int64{1, 2}},
		"reported":                     {reported: reports{{Observer: 3}}, want: []int64{3}},
		"both":                         {held: []int64{3, 1}, reported: reports{{Observer: 3}}, want: []int64{1, 3}},
		"idle now":                     {held: []int64{3, 1}, reported: reports{{Observer: 3, Idle: true}}, want: []int64{1}},
		"idle in one report of two":    {reported: reports{{Observer: 3}, {Observer: 3, Idle: true}}, want: []int64{3}},
		"the same in the other order":  {reported: reports{{Observer: 3, Idle: true}, {Observer: 3}}, want: []int64{3}},
		"idle at an observer not held": {held: []int64{1}, reported: reports{{Observer: 3, Idle: true}}, want: []int64{1}},
	} {
		if got := identify.ObserversInUse(c.held, c.reported); !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
}

func TestOverCapacity(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		class string
		cis   []string
		want  bool
	}{
		"an installation on one machine":     {inventory.ClassInstallation, []string{"a"}, false},
		"an installation on two machines":    {inventory.ClassInstallation, []string{"a", "b"}, true},
		"two observers of one machine":       {inventory.ClassInstallation, []string{"a", "a"}, false},
		"a monitor at two machines":          {inventory.ClassMonitor, []string{"a", "b"}, false},
		"a monitor at three":                 {inventory.ClassMonitor, []string{"c", "a", "b"}, true},
		"a person at any number of machines": {inventory.ClassPerson, []string{"a", "b", "c", "d"}, false},
		"at none":                            {inventory.ClassMonitor, nil, false},
	} {
		if got := identify.OverCapacity(c.class, c.cis); got != c.want {
			t.Errorf("%s: over capacity %v, want %v", name, got, c.want)
		}
	}
}

func TestEndsOtherLocations(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		component inventory.Component
		want      bool
	}{
		"a monitor":            {inventory.Component{Class: inventory.ClassMonitor}, true},
		"a guest that is off":  {inventory.Component{Class: inventory.ClassVirtualMachine, Idle: true}, false},
		"a monitor in a list":  {inventory.Component{Class: inventory.ClassMonitor, By: "serial_number"}, false},
		"a person":             {inventory.Component{Class: inventory.ClassPerson}, false},
		"a class that is none": {inventory.Component{}, false},
	} {
		if got := identify.EndsOtherLocations(c.component); got != c.want {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
}
