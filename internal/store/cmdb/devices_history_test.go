package cmdb

import (
	"encoding/json"
	"maps"
	"math/rand/v2"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/musterhq/muster/internal/inventory"
)

// TestDevicesOfHistory: at every instant, a device has the items of the records that were its
// primary records then, and the devices with an item are found.
func TestDevicesOfHistory(t *testing.T) {
	t.Parallel()
	for seed := range uint64(2) {
		t.Run("seed "+strconv.FormatUint(seed, 10), func(t *testing.T) {
			t.Parallel()
			w, r := newWorld(t), rand.New(rand.NewPCG(seed, 6))
			w.exec(`insert into software (digest, name, version, publisher, source) select digest, i.id::text, '', '', '' from item i where section_id = 1 order by i.id`)
			w.exec(`insert into software_item select i.id, s.id from item i join software s on s.digest = i.digest`)
			var past []worldSnapshot
			for range 100 {
				w.play(r)
				past = append(past, w.snapshot())
			}
			for range 25 {
				w.checkDevices(past[r.IntN(len(past))], int32(1+r.IntN(worldItems)))
			}
			latest := past[len(past)-1]
			latest.at = time.Time{}
			for software := range worldItems {
				w.checkDevices(latest, int32(1+software))
			}
		})
	}
}

func (w *world) checkDevices(snapshot worldSnapshot, software int32) {
	w.t.Helper()
	page := inventory.Page{AsOf: snapshot.at}
	var devices, holders []string
	for id, values := range snapshot.cis {
		if class := values["class"]; class != "computer" && class != "laptop" {
			continue
		}
		devices = append(devices, id)
		if snapshot.items[id]["software"][int(software)] {
			holders = append(holders, id)
		}
		for section := range snapshot.items[id] {
			w.checkHeld(id, section, page, snapshot.items[id][section])
		}
	}
	sortedStrings := cmpopts.SortSlices(func(a, b string) bool { return a < b })
	var declared []string
	err := w.s.ListDevices(w.t.Context(), inventory.DeviceQuery{Page: page, Class: "computer"}, func(d inventory.Device, _ inventory.Position) error {
		declared = append(declared, d.ID)
		return nil
	})
	if diff := cmp.Diff(devices, declared, sortedStrings, cmpopts.EquateEmpty()); diff != "" || err != nil {
		w.t.Errorf("devices as of %v: %v (-want +got):\n%s", snapshot.at, err, diff)
	}
	var holding []string
	query := inventory.SoftwareDevicesQuery{Page: page, Software: software}
	err = w.s.ListSoftwareDevices(w.t.Context(), query, func(d inventory.Device, _ inventory.Position) error {
		holding = append(holding, d.ID)
		return nil
	})
	if diff := cmp.Diff(holders, holding, sortedStrings, cmpopts.EquateEmpty()); diff != "" || err != nil {
		w.t.Errorf("holders of %d as of %v: %v (-want +got):\n%s", software, snapshot.at, err, diff)
	}
}

func (w *world) checkHeld(device, section string, page inventory.Page, want map[int]bool) {
	w.t.Helper()
	var held []int
	query := inventory.ItemQuery{Page: page, Device: device, Section: section, OrderBy: []string{"version"}}
	err := w.s.ListDeviceItems(w.t.Context(), query, func(item inventory.HeldItem, _ inventory.Position) error {
		var facts struct{ Version int }
		err := json.Unmarshal(item.Facts, &facts)
		held = append(held, facts.Version)
		return err
	})
	if diff := cmp.Diff(slices.Sorted(maps.Keys(want)), held, cmpopts.EquateEmpty()); diff != "" || err != nil {
		w.t.Errorf("%s of %s as of %v: %v (-want +got):\n%s", section, device, page.AsOf, err, diff)
	}
}

// TestChangesOfADevice: the changes of a device are those that its records reported while they were
// its primary records.
func TestChangesOfADevice(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	a, b := w.newRecord("computer", "a"), w.newRecord("computer", "b")
	items := func(ids ...int) map[int]bool {
		held := map[int]bool{}
		for _, id := range ids {
			held[id] = true
		}
		return held
	}
	for _, record := range []*worldRecord{a, b} {
		w.collect(record, "software", items())
	}
	for i, step := range []func(){
		func() { w.collect(a, "software", items(1)); w.collect(b, "software", items(2)) },
		func() { w.assign(b, a.ci, true) },
		func() { w.collect(b, "software", items(2, 3)) },
		func() { w.assign(b, a.ci, false) },
		func() { w.collect(b, "software", items(2, 3, 4)) },
		func() { w.assign(b, b.defaultCI, true) },
		func() { w.collect(b, "software", items(2, 3, 4, 5)) },
	} {
		w.now = worldStart.Add(time.Duration(i+1) * time.Hour)
		step()
	}
	for _, c := range []struct {
		device string
		asOf   time.Time
		want   []string
	}{
		{a.ci.id, time.Time{}, []string{"thing 3", "thing 1"}},
		{b.ci.id, time.Time{}, []string{"thing 0", "thing 2"}},
		{b.ci.id, worldStart.Add(4*time.Hour - 1), []string{"thing 3", "thing 1"}}, // when it was the other
		{b.ci.id, worldStart.Add(time.Hour), []string{"thing 2"}},
	} {
		var got []string
		query := inventory.ChangeQuery{Page: inventory.Page{AsOf: c.asOf}, Device: c.device}
		err := w.s.ListDeviceChanges(t.Context(), query, func(change inventory.ItemChange, _ inventory.Position) error {
			var facts struct{ Name string }
			err := json.Unmarshal(change.New, &facts)
			got = append(got, facts.Name)
			return err
		})
		if diff := cmp.Diff(c.want, got); diff != "" || err != nil {
			t.Errorf("%s as of %v: %v (-want +got):\n%s", c.device, c.asOf, err, diff)
		}
	}
}
