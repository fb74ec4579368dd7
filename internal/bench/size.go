package main

import (
	"cmp"
	"context"
	"maps"
	"slices"
)

// extent is the size of the database at one time, in bytes.
type extent struct {
	all    int64
	tables []storage
}

// extent measures the database after a vacuum, so that free space does not count as growth later.
func (r *fleetRun) extent(ctx context.Context) (e extent, err error) {
	if err = r.database.exec(ctx, `vacuum (analyze)`); err != nil {
		return e, err
	}
	if e.tables, err = r.database.tables(ctx); err != nil {
		return e, err
	}
	e.all, err = r.database.size(ctx)
	return e, err
}

// growth is the growth of the database per machine, in bytes.
type growth struct {
	all    float64
	tables map[string]storage
}

// since returns the growth per machine.
func (e extent) since(from extent, machines int) growth {
	n := float64(machines)
	g := growth{all: float64(e.all-from.all) / n, tables: map[string]storage{}}
	was := map[string]storage{}
	for _, t := range from.tables {
		was[t.Table] = t
	}
	for _, t := range e.tables {
		g.tables[t.Table] = storage{t.Table, (t.All - was[t.Table].All) / n, (t.Indexes - was[t.Table].Indexes) / n}
	}
	return g
}

func (g growth) plus(other growth) growth {
	sum := growth{all: g.all + other.all, tables: maps.Clone(g.tables)}
	for name, t := range other.tables {
		sum.tables[name] = storage{name, sum.tables[name].All + t.All, sum.tables[name].Indexes + t.Indexes}
	}
	return sum
}

// list returns the tables that grew, the largest first.
func (g growth) list() []storage {
	list := slices.DeleteFunc(slices.Collect(maps.Values(g.tables)), func(t storage) bool { return t.All < 1 })
	slices.SortFunc(list, func(a, b storage) int {
		return cmp.Or(cmp.Compare(b.All, a.All), cmp.Compare(a.Table, b.Table))
	})
	return list
}
