package main

import (
	"context"
	"fmt"
	"strings"
)

// catalogs are the tables that the fleet shares. They grow with what there is, not with who has it.
var catalogs = []string{"item", "software", "software_item", "item_count", "section"}

// measureEmpty notes what the database takes before anybody comes.
func (b *bench) measureEmpty(ctx context.Context) error {
	tables, err := b.vacuumed(ctx)
	if err != nil {
		return err
	}
	b.empty = map[string]storage{}
	for _, t := range tables {
		b.empty[t.Table] = t
	}
	b.emptySize, err = b.database.size(ctx)
	return err
}

func (b *bench) vacuumed(ctx context.Context) ([]storage, error) {
	if err := b.database.exec(ctx, `vacuum (analyze)`); err != nil {
		return nil, err
	}
	return b.database.tables(ctx)
}

// measureSize gives what a machine's first inventory takes, the catalogs divided among the fleet.
func (b *bench) measureSize(ctx context.Context) error {
	b.progress.step(0, "size of the database")
	tables, err := b.vacuumed(ctx)
	if err != nil {
		return err
	}
	machines := float64(len(b.clients))
	shared := 0.0
	for _, t := range tables {
		was := b.empty[t.Table]
		t.All, t.Indexes = (t.All-was.All)/machines, (t.Indexes-was.Indexes)/machines
		for _, catalog := range catalogs {
			if t.Table == catalog {
				shared += t.All
			}
		}
		if t.All >= 1 {
			b.report.Tables = append(b.report.Tables, t)
		}
	}
	size, err := b.database.size(ctx)
	if err != nil {
		return err
	}
	b.report.add("size", float64(size-b.emptySize)/machines/1000,
		fmt.Sprintf("%.1f of it in the fleet's catalogs (%s)", shared/1000, strings.Join(catalogs, ", ")))
	b.emptySize = size
	return nil
}

// measureGrowth gives what the upgrades took.
func (b *bench) measureGrowth(ctx context.Context) error {
	if _, err := b.vacuumed(ctx); err != nil {
		return err
	}
	size, err := b.database.size(ctx)
	if err == nil {
		b.report.add("upgrade_size", float64(size-b.emptySize)/float64(len(b.clients))/1000, "history, and room that the next upgrades use")
	}
	return err
}
