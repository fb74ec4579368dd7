package reconcile

import (
	"maps"
	"slices"
	"time"

	"github.com/musterhq/muster/internal/inventory"
)

// Rules of a Provenance: what distinguishes the chosen value from the others.
const (
	RuleLock       = "lock"       // a person locked the value
	RuleOnly       = "only"       // no other source has a value
	RuleFresh      = "fresh"      // the other sources are stale
	RulePrecedence = "precedence" // its source has precedence for this attribute
	RuleLatest     = "latest"     // of equal sources, it was observed last
	RuleSpecific   = "specific"   // a class below the one that the preferred source reports
)

// Effective returns the effective values of a CI at an instant. For each attribute it is a lock
// that has not expired, else the best value of the sources that were observed recently, else the
// best value of all. The order of candidates and locks does not matter.
func Effective(
	candidates []inventory.CandidateValues, locks []inventory.Lock, at time.Time, rules *Precedence,
) inventory.Effective {
	e := inventory.Effective{Attributes: inventory.Attributes{}, Provenance: map[string]inventory.Provenance{}}
	values, held := rules.candidateValues(candidates, at), holding(locks, at)
	for attribute, lock := range held {
		set(&e, attribute, lock.Value)
		e.Provenance[attribute] = inventory.Provenance{
			Source: RuleLock, Rule: RuleLock, Suppressed: suppressed(attribute, lock.Value, values[attribute]),
		}
	}
	for _, attribute := range slices.Sorted(maps.Keys(values)) {
		if _, locked := held[attribute]; locked {
			continue
		}
		ranked := values[attribute]
		chosen, rule := ranked[0], ruleOf(ranked)
		if attribute == inventory.AttributeClass {
			chosen, rule = rules.mostSpecific(ranked)
		}
		set(&e, attribute, chosen.value)
		e.Provenance[attribute] = inventory.Provenance{
			Record: chosen.record, Source: chosen.source, Rule: rule,
			Suppressed: suppressed(attribute, chosen.value, ranked),
		}
		if rules.conflict(attribute, ranked) {
			e.Conflicts = append(e.Conflicts, attribute)
		}
	}
	return e
}

func set(e *inventory.Effective, attribute string, value any) {
	switch attribute {
	case inventory.AttributeClass:
		e.Class, _ = value.(string)
	case inventory.AttributeName:
		e.Name, _ = value.(string)
	default:
		if value != nil { // a lock may declare a value unknown
			e.Attributes[attribute] = value
		}
	}
}

// holding returns the lock of each attribute, the latest of several.
func holding(locks []inventory.Lock, at time.Time) map[string]inventory.Lock {
	held := map[string]inventory.Lock{}
	for _, lock := range locks {
		if lock.Until != nil && !lock.Until.After(at) {
			continue
		}
		if text, ok := lock.Value.(string); lock.Attribute == inventory.AttributeClass && (!ok || text == "") {
			continue // a CI has a class
		}
		other, ok := held[lock.Attribute]
		if !ok || lock.LockedAt.After(other.LockedAt) ||
			lock.LockedAt.Equal(other.LockedAt) && textOf(lock.Value) < textOf(other.Value) {
			held[lock.Attribute] = lock
		}
	}
	return held
}

// ruleOf returns the rule that distinguishes the first value from the second.
func ruleOf(ranked []candidateValue) string {
	switch {
	case len(ranked) == 1:
		return RuleOnly
	case ranked[0].yields != ranked[1].yields:
		return RuleFresh
	case ranked[0].rank != ranked[1].rank:
		return RulePrecedence
	default:
		return RuleLatest
	}
}

// mostSpecific prefers a more specific class to the chosen one if another record reports it: an
// agent that reports a computer does not contradict a purchase order for a laptop.
func (p *Precedence) mostSpecific(ranked []candidateValue) (candidateValue, string) {
	chosen, rule := ranked[0], ruleOf(ranked)
	for _, s := range ranked[1:] {
		if p.below(textOf(s.value), textOf(chosen.value)) {
			chosen, rule = s, RuleSpecific
		}
	}
	return chosen, rule
}

// suppressed returns the values that differ from the chosen one.
func suppressed(attribute string, chosen any, ranked []candidateValue) []inventory.Suppressed {
	var list []inventory.Suppressed
	for _, s := range ranked {
		if !same(attribute, s.value, chosen) {
			list = append(list, inventory.Suppressed{Record: s.record, Source: s.source, Value: s.value})
		}
	}
	return list
}

// conflict reports whether people should know that sources disagree: on attributes that identify,
// and where a source observed a CI after it was disposed of.
func (p *Precedence) conflict(attribute string, ranked []candidateValue) bool {
	if attribute == inventory.AttributeLifecycleState {
		return returned(ranked)
	}
	if !slices.Contains(p.data.Conflicting, attribute) {
		return false
	}
	current := slices.DeleteFunc(slices.Clone(ranked), func(s candidateValue) bool { return s.age == stale })
	return slices.ContainsFunc(
		current, func(s candidateValue) bool { return !same(attribute, s.value, current[0].value) },
	)
}

func returned(ranked []candidateValue) bool {
	chosen := ranked[0]
	return isDisposed(textOf(chosen.value)) && slices.ContainsFunc(ranked, func(s candidateValue) bool {
		return s.age == fresh && textOf(s.value) == stateInUse && s.seen.After(chosen.seen)
	})
}
