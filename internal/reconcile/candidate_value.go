package reconcile

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/musterhq/muster/internal/inventory"
)

// candidateValue is what one record reports for one attribute.
type candidateValue struct {
	record int64
	source string
	value  any
	seen   time.Time
	rank   int // of the source for this attribute, 0 is the best
	age    age
	former bool // the record's installation is at another CI now
	yields bool // stale, and a newer value exists
}

// age is whether a value's source was observed recently.
type age int

const (
	declared age = iota // valid until it is changed
	fresh
	stale
)

// candidateValues returns the values that the records report by attribute, the preferred one first.
// The class is the attribute "class".
func (p *Precedence) candidateValues(candidates []inventory.CandidateValues, at time.Time) map[string][]candidateValue {
	values := map[string][]candidateValue{}
	for _, c := range candidates {
		for attribute, value := range p.valuesFor(c) {
			rank, known := p.groupOf(attribute).rankOf(inventory.SourceCategory(c.Source), value)
			if !known {
				continue
			}
			values[attribute] = append(values[attribute], candidateValue{
				record: c.Record, source: c.Source, value: value, seen: c.SeenAt, rank: rank, age: p.age(c, at),
				former: c.Former,
			})
		}
	}
	for attribute, ranked := range values {
		if !p.groupOf(attribute).Lasting {
			markYielding(ranked)
		}
		slices.SortFunc(ranked, prefer)
	}
	return values
}

// valuesFor returns a candidate's attributes, its class and the life-cycle state that follows: what
// an inventory observes is in use, unless the source knows the state better. A record whose
// installation moved to another CI counts for the hardware only.
func (p *Precedence) valuesFor(c inventory.CandidateValues) map[string]any {
	all := make(map[string]any, len(c.Attributes)+2)
	if p.hasLifecycle(c.Class) && p.Observes(c.Source) {
		all[inventory.AttributeLifecycleState] = stateInUse
	}
	for attribute, value := range c.Attributes {
		if value != nil && value != "" {
			all[attribute] = value
		}
	}
	delete(all, inventory.AttributeClass)
	if c.Class != "" {
		all[inventory.AttributeClass] = c.Class
	}
	if c.Former {
		for _, attribute := range p.data.Installation {
			delete(all, attribute)
		}
	}
	return all
}

// age treats a former record as silent: what it reports now is about another CI.
func (p *Precedence) age(c inventory.CandidateValues, at time.Time) age {
	window := p.stalenessWindow(inventory.SourceCategory(c.Source))
	switch {
	case window == 0:
		return declared
	case c.Former || at.Sub(c.SeenAt) > window:
		return stale
	default:
		return fresh
	}
}

// markYielding marks the stale values that yield: to any fresh one, and to what was declared since.
// An older declaration does not become more likely because a machine is switched off.
func markYielding(ranked []candidateValue) {
	for i := range ranked {
		s := &ranked[i]
		s.yields = s.age == stale && slices.ContainsFunc(ranked, func(other candidateValue) bool {
			return other.age == fresh || other.age == declared && other.seen.After(s.seen)
		})
	}
}

// prefer orders values, the preferred one first. No two values of different records are equal.
func prefer(a, b candidateValue) int {
	return cmp.Or(
		compareBool(a.yields, b.yields),
		cmp.Compare(a.rank, b.rank),
		compareBool(a.former, b.former),
		b.seen.Compare(a.seen),
		cmp.Compare(a.record, b.record),
		cmp.Compare(a.source, b.source),
		cmp.Compare(textOf(a.value), textOf(b.value)),
	)
}

func compareBool(a, b bool) int {
	switch {
	case a == b:
		return 0
	case b:
		return -1
	default:
		return 1
	}
}

// textOf returns an attribute value as text; equal numbers result in equal texts.
func textOf(value any) string {
	switch v := value.(type) {
	case string:
		return v
	case json.Number:
		if _, err := strconv.ParseInt(v.String(), 10, 64); err == nil {
			return v.String()
		}
		if f, err := v.Float64(); err == nil {
			return textOf(f)
		}
		return v.String()
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64)
	default:
		return fmt.Sprint(v)
	}
}

// same reports whether two values of an attribute are equal apart from case and surrounding spaces.
// For a UUID the byte order of the first three fields does not matter either, on which tools
// disagree (SMBIOS 3.7 §7.2.1).
func same(attribute string, a, b any) bool {
	x, y := strings.TrimSpace(textOf(a)), strings.TrimSpace(textOf(b))
	return strings.EqualFold(x, y) || attribute == "uuid" && strings.EqualFold(swapped(x), y)
}

// swapped returns a UUID with the bytes of its first three fields reversed, and other texts
// unchanged.
func swapped(uuid string) string {
	fields := strings.Split(uuid, "-")
	if len(uuid) != 36 || len(fields) != 5 || len(fields[0]) != 8 || len(fields[1]) != 4 || len(fields[2]) != 4 {
		return uuid
	}
	for i, field := range fields[:3] {
		turned := ""
		for ; field != ""; field = field[2:] {
			turned = field[:2] + turned
		}
		fields[i] = turned
	}
	return strings.Join(fields, "-")
}
