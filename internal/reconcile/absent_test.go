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
	const installation = inventory.ClassInstallation
	for name, c := range map[string]struct {
		records []reconcile.ComponentRecord
		want    bool
	}{
		"no records":                                  {nil, false},
		"an agent's own CI":                           {[]reconcile.ComponentRecord{agent}, false},
		"an installation that is observed":            {[]reconcile.ComponentRecord{record(installation, true, primary)}, false},
		"an installation that nobody observes":        {[]reconcile.ComponentRecord{record(installation, true)}, true},
		"an installation on a retired computer":       {[]reconcile.ComponentRecord{record(installation, true, retired)}, true},
		"the second system of a machine":              {[]reconcile.ComponentRecord{record(installation, true, secondary)}, false},
		"a replaced system without an identifier":     {[]reconcile.ComponentRecord{record(installation, false, secondary)}, true},
		"a monitor that is observed":                  {[]reconcile.ComponentRecord{record("monitor", false, primary)}, false},
		"a monitor at a record that is not primary":   {[]reconcile.ComponentRecord{monitor}, true},
		"the same with a serial number":               {[]reconcile.ComponentRecord{record("monitor", true, secondary)}, false},
		"a monitor that is unplugged":                 {[]reconcile.ComponentRecord{record("monitor", false)}, false},
		"observed by two records, one of them counts": {[]reconcile.ComponentRecord{record("monitor", false, secondary, primary)}, false},
		"the one that counts is retired":              {[]reconcile.ComponentRecord{record("monitor", false, secondary, retired)}, true},
		"a list declares it":                          {[]reconcile.ComponentRecord{record("monitor", false, secondary, list)}, false},
		"of two records one is present":               {[]reconcile.ComponentRecord{monitor, record("monitor", false, primary)}, false},
		"of two records one is a person's":            {[]reconcile.ComponentRecord{monitor, {Source: inventory.SourceManual}}, false},
		"both are absent":                             {[]reconcile.ComponentRecord{monitor, monitor}, true},
	} {
		if got := reconcile.IsAbsent(c.records); got != c.want {
			t.Errorf("%s: absent %v, want %v", name, got, c.want)
		}
	}
}
