package reconcile_test

import (
	"testing"

	"github.com/musterhq/muster/internal/inventory"
	"github.com/musterhq/muster/internal/reconcile"
)

func TestIsAbsent(t *testing.T) {
	t.Parallel()
	record := func(class string, hasIdentifier bool, observers ...reconcile.ComponentObserver) reconcile.ComponentRecord {
		return reconcile.ComponentRecord{
			Source: inventory.SourceDiscovery, BaseClass: class, HasIdentifier: hasIdentifier, Observers: observers,
		}
	}
	var (
		primary   = reconcile.ComponentObserver{Primary: true}
		secondary = reconcile.ComponentObserver{}
		list      = reconcile.ComponentObserver{Declared: true}
		retired   = reconcile.ComponentObserver{Primary: true, Retired: true}
		agent     = reconcile.ComponentRecord{Source: inventory.SourceAgent, BaseClass: inventory.ClassComputer}
		monitor   = record(inventory.ClassMonitor, false, secondary)
	)
	shared := record(inventory.ClassMonitor, true)
	shared.Shared = true
	type records = []reconcile.ComponentRecord
	const installation = inventory.ClassInstallation
	for name, c := range map[string]struct {
		records records
		want    bool
	}{
		"no records":                                  {nil, false},
		"an agent's own CI":                           {records{agent}, false},
		"an installation that is observed":            {records{record(installation, true, primary)}, false},
		"an installation that nobody observes":        {records{record(installation, true)}, true},
		"an installation on a retired computer":       {records{record(installation, true, retired)}, true},
		"the second system of a machine":              {records{record(installation, true, secondary)}, false},
		"a replaced system without an identifier":     {records{record(installation, false, secondary)}, true},
		"a monitor that is observed":                  {records{record("monitor", false, primary)}, false},
		"a monitor at a record that is not primary":   {records{monitor}, true},
		"the same with a serial number":               {records{record("monitor", true, secondary)}, false},
		"a monitor that is unplugged":                 {records{record("monitor", false)}, false},
		"one whose serial number many have":           {records{shared}, true},
		"the same in a list":                          {records{shared, {Source: "csv"}}, false},
		"observed by two records, one of them counts": {records{record("monitor", false, secondary, primary)}, false},
		"the one that counts is retired":              {records{record("monitor", false, secondary, retired)}, true},
		"a list declares it":                          {records{record("monitor", false, secondary, list)}, false},
		"of two records one is present":               {records{monitor, record("monitor", false, primary)}, false},
		"of two records one is a person's":            {records{monitor, {Source: inventory.SourceManual}}, false},
		"both are absent":                             {records{monitor, monitor}, true},
	} {
		if got := reconcile.IsAbsent(c.records); got != c.want {
			t.Errorf("%s: absent %v, want %v", name, got, c.want)
		}
	}
}
