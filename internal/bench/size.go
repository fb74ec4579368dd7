package main

import (
	"cmp"
	"context"
	"slices"
)

// extent is what the database takes at one moment, in bytes.
type extent struct {
	all    int64
	tables []storage
}

// extent measures the database after tidying up, so that what the next rows will use counts as free.
func (b *bench) extent(ctx context.Context) (e extent, err error) {
	if err = b.database.exec(ctx, `vacuum (analyze)`); err != nil {
		return e, err
	}
	if e.tables, err = b.database.tables(ctx); err != nil {
		return e, err
	}
	e.all, err = b.database.size(ctx)
	return e, err
}

// kB gives by how much the database grew per machine.
func (e extent) kB(from extent, machines int) float64 {
	return float64(e.all-from.all) / float64(machines) / 1000
}

// growth lists by how much each table grew per machine, the largest first.
func (e extent) growth(from extent, machines int) []storage {
	was := map[string]storage{}
	for _, t := range from.tables {
		was[t.Table] = t
	}
	var list []storage
	for _, t := range e.tables {
		t.All = (t.All - was[t.Table].All) / float64(machines)
		t.Indexes = (t.Indexes - was[t.Table].Indexes) / float64(machines)
		if t.All >= 1 {
			list = append(list, t)
		}
	}
	slices.SortStableFunc(list, func(a, b storage) int { return cmp.Compare(b.All, a.All) })
	return list
}
