package reconcile

import (
	"slices"

	"github.com/musterhq/muster/internal/inventory"
)

// ComponentRecord is what IsAbsent needs to know about one record of a CI.
type ComponentRecord struct {
	Source        string
	BaseClass     string
	HasIdentifier bool // its evidence is not empty
	Shared        bool // its identifier is that of several components, which have records of their own
	Observers     []ComponentObserver
}

// ComponentObserver is a record that has a current relationship to a component.
type ComponentObserver struct {
	Primary  bool // it is the primary record of its CI
	Retired  bool // its CI is
	Declared bool // a list declares the relationship, as against an inventory that observes it
}

// IsAbsent reports whether a CI is no longer there although nobody retired it. Its records must all
// be discovered components that are absent. A shared component is absent when nobody observes it.
// An installation is absent when no CI in use has it. Another component without an identifier is
// absent when only records that are not primary observe it. A component with an identifier stays
// when it is unplugged, because it may be elsewhere; so does the second system of a machine while
// the first one runs.
func IsAbsent(records []ComponentRecord) bool {
	return len(records) > 0 && !slices.ContainsFunc(records, ComponentRecord.present)
}

func (r ComponentRecord) present() bool {
	if r.Source != inventory.SourceDiscovery {
		return true
	}
	var observed, installed, hidden bool
	for _, o := range r.Observers {
		counts := o.Primary || o.Declared
		installed = installed || !o.Retired
		observed = observed || counts && !o.Retired
		hidden = hidden || !counts
	}
	switch {
	case r.BaseClass == inventory.ClassInstallation && !installed:
		return false
	case r.Shared && len(r.Observers) == 0:
		return false
	default:
		return observed || !hidden || r.HasIdentifier
	}
}
