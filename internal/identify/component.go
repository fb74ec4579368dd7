package identify

import (
	"cmp"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/musterhq/muster/internal/inventory"
)

// maxLocations are the CIs at which a component of a class may be in use at one time. If more
// report it, they are several components with one identifier. Components of other classes, such as
// people, networks and printers, have no bound.
var maxLocations = map[string]int{
	inventory.ClassInstallation:   1, // two machines that both report it are copies
	inventory.ClassMonitor:        2, // a KVM switch
	inventory.ClassStorageDevice:  2, // the shared enclosure of a cluster
	inventory.ClassVirtualMachine: 2, // during a live migration
	inventory.ClassContainer:      2,
	inventory.ClassPeripheral:     2,
}

// MovedAfter is how long an observer must have been silent for a component to have moved away from
// it unnoticed. An observer that was seen since would have reported the removal.
const MovedAfter = time.Hour

// componentIdentifierKinds are the kinds of identifiers that name a component, the best one first.
var componentIdentifierKinds = []int{kindNative, kindSerial, kindDisk, kindOS, kindUUID, kindMAC}

// ComponentIdentifier returns the identifier that a component is known by wherever it is observed;
// "": it is known by its location only. The number of a unit is part of its serial number.
func (r *Rules) ComponentIdentifier(ids inventory.RawIdentifiers) inventory.Identifier {
	identifiers, _ := r.Normalize(ids)
	for _, kind := range componentIdentifierKinds {
		at := slices.IndexFunc(identifiers, func(i inventory.Identifier) bool { return kindOf(i) == kind })
		switch {
		case at < 0:
		case kind == kindSerial:
			return identifiers[at] + unitOf(identifiers)
		default:
			return identifiers[at]
		}
	}
	return ""
}

// unitOf returns what the number of a unit adds to its serial number.
func unitOf(identifiers []inventory.Identifier) inventory.Identifier {
	for _, i := range identifiers {
		if kindOf(i) == kindUnit {
			return " " + i
		}
	}
	return ""
}

// ComponentKey returns the native key of a component's record: its class with its identifier or, if
// it has none, with its observer and its key there.
func ComponentKey(component inventory.Component, identifier inventory.Identifier, observer int64) string {
	if identifier != "" {
		return component.Class + "\n" + string(identifier)
	}
	return component.Class + "\nat " + strconv.FormatInt(observer, 10) + "\n" + component.Key
}

// ComponentReport is one observer's report of a component.
type ComponentReport struct {
	Observer int64
	Idle     bool // as in inventory.Component
}

// ObserversInUse returns the records at which a component is in use: those of held unless they
// report now that it is idle, and those that report now that it is in use. The result is sorted.
func ObserversInUse(held []int64, reported []ComponentReport) []int64 {
	inUse := map[int64]bool{} // of the observers that report now
	for _, report := range reported {
		inUse[report.Observer] = inUse[report.Observer] || !report.Idle
	}
	observers := slices.AppendSeq(slices.Clone(held), maps.Keys(inUse))
	observers = slices.DeleteFunc(observers, func(observer int64) bool {
		used, reports := inUse[observer]
		return reports && !used
	})
	slices.Sort(observers)
	return slices.Compact(observers)
}

// OverCapacity reports whether a component of a class is in use at more CIs than one component can
// be. A CI that is named twice counts once. The answer for observers instead of CIs is an upper
// bound.
func OverCapacity[T cmp.Ordered](class string, cis []T) bool {
	most, limited := maxLocations[class]
	return limited && len(slices.Compact(slices.Sorted(slices.Values(cis)))) > most
}

// IsShareable reports whether any number of CIs may use a component of a class at one time.
func IsShareable(class string) bool {
	_, limited := maxLocations[class]
	return !limited
}

// EndsOtherLocations reports whether a component that is observed at one CI has left those whose
// observers have been silent for MovedAfter. A component that a list names may be elsewhere too.
func EndsOtherLocations(component inventory.Component) bool {
	return !IsShareable(component.Class) && !component.Idle && component.By == ""
}
