package store

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/musterhq/muster/internal/inventory"
)

func TestProbe(t *testing.T) {
	ctx := context.Background()
	s, err := Open(ctx, "postgres://postgres@/postgres?host=/tmp/apibench&port=5999", Options{})
	if err != nil { t.Fatal(err) }
	defer s.Close()
	past := time.Date(2026, 5, 1, 0, 0, 0, 0, time.UTC)
	measure := func(name string, f func(visit func()) error) {
		var best, first time.Duration
		n := 0
		for i := range 4 {
			start := time.Now()
			n = 0
			var fb time.Duration
			if err := f(func() { if n == 0 { fb = time.Since(start) }; n++ }); err != nil { t.Error(name, err); return }
			d := time.Since(start)
			if i == 0 || d < best { best, first = d, fb }
		}
		fmt.Printf("%-50s %8.1f ms  first %8.1f ms  rows %d\n", name, best.Seconds()*1000, first.Seconds()*1000, n)
	}
	dev := func(q inventory.DeviceQuery) func(func()) error {
		return func(v func()) error { return s.ListDevices(ctx, q, func(inventory.Device, inventory.Position) error { v(); return nil }) }
	}
	page := inventory.Page{Limit: 101}
	for _, o := range []string{"name", "class", "manufacturer", "model", "serial_number", "uuid", "os_name", "os_version", "first_seen"} {
		measure("devices by "+o, dev(inventory.DeviceQuery{Page: page, OrderBy: o}))
		measure("devices by "+o+" desc", dev(inventory.DeviceQuery{Page: page, OrderBy: o, Descending: true}))
	}
	measure("devices as_of", dev(inventory.DeviceQuery{Page: inventory.Page{Limit: 101, AsOf: past}}))
	measure("devices as_of model", dev(inventory.DeviceQuery{Page: inventory.Page{Limit: 101, AsOf: past}, OrderBy: "model"}))
	measure("devices search ab", dev(inventory.DeviceQuery{Page: page, Search: "ab"}))
	measure("devices search host-abc", dev(inventory.DeviceQuery{Page: page, Search: "host-abc"}))
	measure("devices search nothing", dev(inventory.DeviceQuery{Page: page, Search: "zzzzzz"}))
	measure("devices class", dev(inventory.DeviceQuery{Page: page, Class: "computer"}))
	measure("devices after", dev(inventory.DeviceQuery{Page: inventory.Page{Limit: 101, After: inventory.Position{"host-88", "00000000-0000-0000-0000-000000000000"}}}))
	measure("devices whole", dev(inventory.DeviceQuery{}))
	measure("devices whole as_of", dev(inventory.DeviceQuery{Page: inventory.Page{AsOf: past}}))
	sw := func(q inventory.SoftwareQuery) func(func()) error {
		return func(v func()) error { return s.ListSoftware(ctx, q, func(inventory.Software, inventory.Position) error { v(); return nil }) }
	}
	measure("software", sw(inventory.SoftwareQuery{Page: page}))
	for _, w := range []string{"lib", "li", "x", "python3-ab", "adobe", "microsoft", "zzzzz", "zz"} {
		measure("software "+w, sw(inventory.SoftwareQuery{Page: page, Words: []string{w}}))
	}
	measure("software microsoft adobe", sw(inventory.SoftwareQuery{Page: page, Words: []string{"microsoft", "adobe"}}))
	measure("software as_of", sw(inventory.SoftwareQuery{Page: inventory.Page{Limit: 101, AsOf: past}}))
	measure("software whole", sw(inventory.SoftwareQuery{}))
	who := func(q inventory.HolderQuery) func(func()) error {
		return func(v func()) error { return s.ListSoftwareDevices(ctx, q, func(inventory.Device, inventory.Position) error { v(); return nil }) }
	}
	measure("who has 40000", who(inventory.HolderQuery{Page: page, Software: 5}))
	measure("who has 40000 whole", who(inventory.HolderQuery{Software: 5}))
	measure("who has mid", who(inventory.HolderQuery{Page: page, Software: 5000}))
	measure("who has rare", who(inventory.HolderQuery{Page: page, Software: 400000}))
	measure("who has as_of", who(inventory.HolderQuery{Page: inventory.Page{Limit: 101, AsOf: time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)}, Software: 5}))
	var id string
	_ = s.pool.QueryRow(ctx, `select ci_id::text from source_record where id = 77`).Scan(&id)
	measure("items", func(v func()) error {
		return s.ListDeviceItems(ctx, inventory.ItemQuery{Device: id, Section: "software", OrderBy: []string{"name", "source", "arch"}, Page: inventory.Page{Limit: 101}}, func(inventory.HeldItem, inventory.Position) error { v(); return nil })
	})
	measure("sections", func(v func()) error {
		return s.ListDeviceSections(ctx, id, page, func(inventory.DeviceSection, inventory.Position) error { v(); return nil })
	})
	explain := func(sql string, args pgx.NamedArgs) {
		rows, err := s.pool.Query(ctx, "explain (analyze, buffers off, timing off) "+sql, pgx.QueryExecModeCacheDescribe, args)
		if err != nil { t.Fatal(err) }
		lines, err := pgx.CollectRows(rows, pgx.RowTo[string])
		if err != nil { t.Fatal(err) }
		for _, l := range lines { fmt.Println(l) }
	}
	for _, q := range []inventory.DeviceQuery{{}, {Page: page, OrderBy: "model"}} {
		sql, args, _ := devicesSQL(q)
		explain(sql, args)
	}
	for _, q := range []inventory.SoftwareQuery{{Page: page}, {Page: page, Words: []string{"lib"}}, {Page: page, Words: []string{"adobe"}}} {
		sql, args, _ := softwareSQL(q)
		explain(sql, args)
	}
}
