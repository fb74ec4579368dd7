package reconcile

import (
	"maps"
	"slices"
	"time"

	"github.com/musterhq/muster/internal/inventory"
)

// The rules by which a value is chosen: the one that left it alone.
const (
	RuleLock       = "lock"       // a person holds the value
	RuleOnly       = "only"       // nobody else says anything
	RuleFresh      = "fresh"      // the others are silent
	RulePrecedence = "precedence" // its source is the better one for this attribute
	RuleLatest     = "latest"     // of equal sources, it was heard of last
	RuleSpecific   = "specific"   // a class that is a kind of what the better sources say
)

// Effective returns what is taken to be true of a CI at the instant at: for each attribute a lock that has not run
// out, else what the best source says that was observed lately, else what the best source said. The order of
// candidates and locks means nothing.
func Effective(
	candidates []inventory.CandidateValues, locks []inventory.Lock, at time.Time, rules *Precedence,
) inventory.Effective {
	e := inventory.Effective{Attributes: inventory.Attributes{}, Provenance: map[string]inventory.Provenance{}}
	said, held := rules.candidateValues(candidates, at), holding(locks, at)
	for attribute, lock := range held {
		set(&e, attribute, lock.Value)
		e.Provenance[attribute] = inventory.Provenance{
			Source: RuleLock, Rule: RuleLock, Suppressed: suppressed(attribute, lock.Value, said[attribute]),
		}
	}
	for _, attribute := range slices.Sorted(maps.Keys(said)) {
		if _, locked := held[attribute]; locked {
			continue
		}
		says := said[attribute]
		chosen, rule := says[0], ruleOf(says)
		if attribute == inventory.AttributeClass {
			chosen, rule = rules.mostSpecific(says)
		}
		set(&e, attribute, chosen.value)
		e.Provenance[attribute] = inventory.Provenance{
			Record: chosen.record, Source: chosen.source, Rule: rule,
			Suppressed: suppressed(attribute, chosen.value, says),
		}
		if rules.conflict(attribute, says) {
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
		if value != nil { // a lock may hold that it is unknown
			e.Attributes[attribute] = value
		}
	}
}

// holding returns the lock of each attribute: of several the latest.
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

// ruleOf tells what the first statement has before the second, which is the one that was preferred to all others.
func ruleOf(says []candidateValue) string {
	switch {
	case len(says) == 1:
		return RuleOnly
	case says[0].yields != says[1].yields:
		return RuleFresh
	case says[0].rank != says[1].rank:
		return RulePrecedence
	default:
		return RuleLatest
	}
}

// mostSpecific goes from the class that is preferred to those below it that others say: an agent that sees a
// computer does not contradict a purchase order for a laptop.
func (p *Precedence) mostSpecific(says []candidateValue) (candidateValue, string) {
	chosen, rule := says[0], ruleOf(says)
	for _, s := range says[1:] {
		if p.below(textOf(s.value), textOf(chosen.value)) {
			chosen, rule = s, RuleSpecific
		}
	}
	return chosen, rule
}

// suppressed are the values other than the one that was chosen.
func suppressed(attribute string, chosen any, says []candidateValue) []inventory.Suppressed {
	var list []inventory.Suppressed
	for _, s := range says {
		if !same(attribute, s.value, chosen) {
			list = append(list, inventory.Suppressed{Record: s.record, Source: s.source, Value: s.value})
		}
	}
	return list
}

// conflict reports whether people should know that sources disagree: on what tells things apart, and where a thing
// that is said to be gone was seen since.
func (p *Precedence) conflict(attribute string, says []candidateValue) bool {
	if attribute == inventory.AttributeLifecycleState {
		return returned(says)
	}
	if !slices.Contains(p.data.Conflicting, attribute) {
		return false
	}
	current := slices.DeleteFunc(slices.Clone(says), func(s candidateValue) bool { return s.age == stale })
	return slices.ContainsFunc(current, func(s candidateValue) bool { return !same(attribute, s.value, current[0].value) })
}

func returned(says []candidateValue) bool {
	chosen := says[0]
	return isDisposed(textOf(chosen.value)) && slices.ContainsFunc(says, func(s candidateValue) bool {
		return s.age == fresh && textOf(s.value) == stateInUse && s.seen.After(chosen.seen)
	})
}
