package main

import (
	"context"
	"fmt"

	"github.com/musterhq/muster/internal/inventory"
)

const (
	listRuns  = 11
	listLimit = 100 // CIs per page, the default of the API
)

// measureLists measures the first page of a class with filters that match many, one and no CI.
func (e *cmdb) measureLists(ctx context.Context) error {
	one, err := e.laptop()
	if err != nil {
		return err
	}
	for _, part := range []struct {
		id     string
		filter inventory.Condition
	}{
		{"list_many", inventory.Condition{Attribute: "model", Operator: "=", Value: models[0].product}},
		{"list_few", inventory.Condition{Attribute: "hostname", Operator: "=", Value: one}},
		{"list_contains", inventory.Condition{Attribute: "model", Operator: ":", Value: "nonexistent"}},
	} {
		e.progress.stepf(0, "lists: laptops whose %s is %s", part.filter.Attribute, part.filter.Value)
		found := 0
		took, cpu, err := e.timed(ctx, listRuns, func() error {
			found = 0
			q := inventory.CIQuery{
				Page: inventory.Page{Limit: listLimit}, Class: "laptop", Filter: []inventory.Condition{part.filter},
			}
			return e.store.ListCIs(ctx, q, func(inventory.CI, inventory.Position) error {
				found++
				return nil
			})
		})
		if err != nil {
			return err
		}
		e.report.add(part.id, inMilliseconds(took),
			fmt.Sprintf("%d on the page; median of %d; %.1f ms CPU", found, listRuns, cpu))
	}
	return nil
}

// laptop returns the name of a laptop from the middle of the CMDB.
func (e *cmdb) laptop() (string, error) {
	for n := e.cmdbMachines / 2; ; n++ {
		reported, err := e.agents.observed(n)
		if err != nil || reported.Class == "laptop" {
			return reported.Identifiers.Hostname, err
		}
	}
}
