package main

import (
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"
	"pgregory.net/rapid"

	"github.com/musterhq/muster/internal/inventory"
	"github.com/musterhq/muster/internal/wire"
	inventoryv1 "github.com/musterhq/muster/proto/muster/inventory/v1"
)

// smallImage is a golden image that has to be completed with made-up packages.
func smallImage() golden {
	return golden{
		"software": {&inventoryv1.Software{
			Source: "dpkg", Name: "bash", Arch: "amd64", Version: "5.2.15-2",
			Purl: "pkg:deb/debian/bash@5.2.15-2?arch=amd64",
		}},
		"os":      {&inventoryv1.OperatingSystem{Name: "Debian GNU/Linux", Kernel: "6.1.0"}},
		"service": {&inventoryv1.Service{Name: "cron.service", StartType: "enabled", State: "running"}},
	}
}

func testFleet(t *testing.T, seed uint64) *fleet {
	t.Helper()
	return fleetOf(t, seed, highSimilarity)
}

func fleetOf(t *testing.T, seed uint64, s similarity) *fleet {
	t.Helper()
	f, err := newFleet(seed, smallImage(), s)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func machineOf(t *testing.T, f *fleet, machine int) map[string]content {
	t.Helper()
	list, err := f.inventoryOf(machine, len(wire.Sections()))
	if err != nil {
		t.Fatal(err)
	}
	bySection := map[string]content{}
	for _, c := range list {
		bySection[c.section] = c
	}
	return bySection
}

func TestFleetFollowsFromItsSeed(t *testing.T) {
	t.Parallel()
	allow := cmp.AllowUnexported(content{})
	one, same, other := testFleet(t, 1), testFleet(t, 1), testFleet(t, 2)
	if diff := cmp.Diff(machineOf(t, one, 7), machineOf(t, same, 7), allow); diff != "" {
		t.Errorf("the same seed gave another machine (-want +got):\n%s", diff)
	}
	if machineOf(t, one, 7)["system"].root == machineOf(t, other, 7)["system"].root {
		t.Error("another seed gave the same machine")
	}
}

// TestMachinesHoldTheirSections checks that the made-up machines have all sections that desktops
// have. A section that they lack would cost nothing in the figures.
func TestMachinesHoldTheirSections(t *testing.T) {
	t.Parallel()
	got := machineOf(t, testFleet(t, 1), 3)
	for _, section := range []string{
		"system", "firmware", "cpu", "memory", "storage", "volume", "network_interface", "display", "os", "software",
		"service", "user", "pci_device", "gpu", "usb_device", "printer", "management", "patch", "group", "session",
		"security_posture",
	} {
		if len(got[section].items) == 0 {
			t.Errorf("section %s has no items", section)
		}
	}
	if n := len(got["software"].items); n != programs {
		t.Errorf("%d packages, want %d", n, programs)
	}
}

func TestMachinesAreUnique(t *testing.T) {
	t.Parallel()
	const machines = 50
	f := testFleet(t, 1)
	for _, section := range []string{"system", "storage", "network_interface", "display", "os", "volume"} {
		seen := map[wire.Hash]int{}
		for machine := range machines {
			for _, item := range machineOf(t, f, machine)[section].items {
				if before, ok := seen[item.Hash]; ok {
					t.Errorf("%s: machines %d and %d hold the same item", section, before, machine)
				}
				seen[item.Hash] = machine
			}
		}
	}
}

// TestApplicationsFollowZipf compares the installations of popular and rare titles.
func TestApplicationsFollowZipf(t *testing.T) {
	t.Parallel()
	const machines = 300
	f := testFleet(t, 1)
	installs := map[int64]int{}
	for machine := range machines {
		for _, item := range machineOf(t, f, machine)["software"].items[f.similarity.image:] {
			installs[item.KeyHash]++
		}
	}
	of := func(from, to int) float64 {
		sum := 0
		for _, title := range f.others[from:to] {
			sum += installs[title.versions[0].KeyHash]
		}
		return float64(sum) / float64(to-from)
	}
	head, middle, tail := of(0, 10), of(100, 200), of(2000, 3000)
	if head < 0.9*machines || middle > head/2 || tail > middle/4 || tail == 0 {
		t.Errorf("installations of popular, middling and rare titles: %.1f, %.1f, %.1f of %d machines",
			head, middle, tail, machines)
	}
}

// TestUpgrade checks that an upgrade replaces installed packages and results in its root.
func TestUpgrade(t *testing.T) {
	t.Parallel()
	fleets := []*fleet{testFleet(t, 1), fleetOf(t, 1, mediumSimilarity), fleetOf(t, 1, lowSimilarity)}
	rapid.Check(t, func(rt *rapid.T) {
		f := rapid.SampledFrom(fleets).Draw(rt, "fleet")
		machine := rapid.IntRange(0, math.MaxInt32).Draw(rt, "machine")
		wave := firstWave(machine)
		root, facts := softwareAt(f, machine, wave)
		upgrade := f.upgrade(machine, wave+1, root, time.Unix(1, 0))
		if n := len(upgrade.added); n != wavePackages || len(upgrade.removed) != n {
			rt.Fatalf("%d packages added and %d removed, want %d", n, len(upgrade.removed), wavePackages)
		}
		for _, removed := range upgrade.removed {
			if !facts[string(removed)] {
				rt.Fatalf("the machine has no %q", removed)
			}
		}
		want := root
		for i, added := range upgrade.added {
			want = added.Hash.AddTo(wire.HashOf(upgrade.removed[i]).RemoveFrom(want))
		}
		if upgrade.root != want {
			rt.Fatal("the root is not that of the change")
		}
	})
}

func softwareAt(f *fleet, machine, wave int) (root inventory.Root, facts map[string]bool) {
	c := f.softwareOf(machine, wave)
	facts = map[string]bool{}
	for _, item := range c.items {
		facts[string(item.Facts)] = true
	}
	return c.root, facts
}

// TestUpgradesAreStaggered checks that the ring ahead has what an upgrade brings to the last ring.
func TestUpgradesAreStaggered(t *testing.T) {
	t.Parallel()
	f := testFleet(t, 1)
	last := rings - 1
	root, _ := softwareAt(f, last, firstWave(last))
	_, ahead := softwareAt(f, last-1, firstWave(last-1))
	for _, added := range f.upgrade(last, firstWave(last)+1, root, time.Unix(1, 0)).added {
		if !ahead[string(added.Facts)] {
			t.Fatalf("the ring ahead has no %q", added.Facts)
		}
	}
	if upgrades := 2; (rings+upgrades)*wavePackages > mediumSimilarity.image {
		t.Errorf("%d waves of %d packages are more than the image has", rings+upgrades, wavePackages)
	}
}

func TestSimilarity(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		similarity  similarity
		least, most float64 // share of the software of two machines
	}{
		{highSimilarity, 0.85, 0.95},
		{mediumSimilarity, 0.4, 0.6},
		{lowSimilarity, 0.01, 0.05},
	} {
		t.Run(c.similarity.name, func(t *testing.T) {
			t.Parallel()
			f := fleetOf(t, 1, c.similarity)
			if shared := f.sharedSoftware(); shared < c.least || shared > c.most {
				t.Errorf("two machines share %.3f of their software, want %.2f to %.2f", shared, c.least, c.most)
			}
			if few, many := f.unknownSoftware(20), f.unknownSoftware(100); many >= few || many == 0 {
				t.Errorf("a machine of 100 brings %.1f unknown programs, one of 20 %.1f", many, few)
			}
		})
	}
}

func TestUpgradedVersion(t *testing.T) {
	t.Parallel()
	was := &inventoryv1.Software{Name: "bash", Version: "5.2.15-2", Purl: "pkg:deb/debian/bash@5.2.15-2?arch=amd64"}
	want := &inventoryv1.Software{
		Name: "bash", Version: "5.2.15-2+deb12u1", Purl: "pkg:deb/debian/bash@5.2.15-2%2Bdeb12u1?arch=amd64",
	}
	if got := upgraded(was, 1); !proto.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	if got := upgraded(was, 0); got != was {
		t.Errorf("got %v for no upgrade", got)
	}
}

func TestReadGolden(t *testing.T) {
	t.Parallel()
	document := `{"agent": {"version": "x"}, "sections": {
		"software": {"status": "ok", "items": [
			{"source": "dpkg", "name": "bash", "size_bytes": 7, "install_date": "2026-01-02T03:04:05Z"}]},
		"from_the_future": {"status": "ok", "items": [{"a": 1}]},
		"memory": {"status": "unsupported", "items": []}}}`
	image, err := readGolden([]byte(document))
	if err != nil {
		t.Fatal(err)
	}
	got := fmt.Sprint(len(image), image["software"][0].(*inventoryv1.Software).GetSizeBytes(),
		image["software"][0].(*inventoryv1.Software).GetInstallDate().AsTime().Unix())
	if want := fmt.Sprint(1, 7, 1767323045); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if _, err := readGolden([]byte(`{"sections": {"software": {"items": [{"size_bytes": "many"}]}}}`)); err == nil {
		t.Error("nonsense was read")
	}
}
