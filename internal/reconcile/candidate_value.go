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

// candidateValue is what one record says of one attribute.
type candidateValue struct {
	record int64
	source string
	value  any
	seen   time.Time
	rank   int // of the source for this attribute
	age    age
	former bool // the record's thing is another CI now
	yields bool // stale, and something was said since
}

// age says whether a statement's source was observed lately.
type age int

const (
	declared age = iota // it holds until it is said otherwise
	fresh
	stale
)

// candidateValues sorts what the records say by attribute, the one that is preferred first. The class is the attribute
// "class".
func (p *Precedence) candidateValues(candidates []inventory.CandidateValues, at time.Time) map[string][]candidateValue {
	said := map[string][]candidateValue{}
	for _, c := range candidates {
		for attribute, value := range p.valuesFor(c) {
			rank, heard := p.groupOf(attribute).rankOf(kindOf(c.Source), value)
			if !heard {
				continue
			}
			said[attribute] = append(said[attribute], candidateValue{
				record: c.Record, source: c.Source, value: value, seen: c.SeenAt, rank: rank, age: p.age(c, at), former: c.Former,
			})
		}
	}
	for attribute, says := range said {
		if !p.groupOf(attribute).Lasting {
			markYielding(says)
		}
		slices.SortFunc(says, prefer)
	}
	return said
}

// valuesFor are a candidate's attributes, its class, and what follows from it: what an inventory speaks of is in use,
// unless the source knows the state better. Of a record whose thing is another CI now, only what it said of the
// hardware counts: its installation went with the disk.
func (p *Precedence) valuesFor(c inventory.CandidateValues) map[string]any {
	claims := make(map[string]any, len(c.Attributes)+2)
	if p.hasLifecycle(c.Class) && p.Observes(c.Source) {
		claims[inventory.AttributeLifecycleState] = stateInUse
	}
	for attribute, value := range c.Attributes {
		if value != nil && value != "" {
			claims[attribute] = value
		}
	}
	delete(claims, inventory.AttributeClass)
	if c.Class != "" {
		claims[inventory.AttributeClass] = c.Class
	}
	if c.Former {
		for _, attribute := range p.data.Installation {
			delete(claims, attribute)
		}
	}
	return claims
}

// age takes a record whose thing is another CI now for silent: what it says today, it says of the other.
func (p *Precedence) age(c inventory.CandidateValues, at time.Time) age {
	window := p.stalenessWindow(kindOf(c.Source))
	switch {
	case window == 0:
		return declared
	case c.Former || at.Sub(c.SeenAt) > window:
		return stale
	default:
		return fresh
	}
}

// markYielding marks the stale statements that give way: to any fresh one, and to what was declared since. An older
// declaration does not become truer because a machine is switched off.
func markYielding(says []candidateValue) {
	for i := range says {
		s := &says[i]
		s.yields = s.age == stale && slices.ContainsFunc(says, func(other candidateValue) bool {
			return other.age == fresh || other.age == declared && other.seen.After(s.seen)
		})
	}
}

// prefer orders statements, the preferred one first. No two of different records are equal in it.
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

// textOf returns a value of an attribute as text; numbers that are equal give the same.
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

// same reports whether two values say one thing of an attribute: case and the spaces around a text do not matter,
// nor does in which order a UUID's first three fields are written, on which tools disagree (SMBIOS 3.7 §7.2.1).
func same(attribute string, a, b any) bool {
	x, y := strings.TrimSpace(textOf(a)), strings.TrimSpace(textOf(b))
	return strings.EqualFold(x, y) || attribute == "uuid" && strings.EqualFold(swapped(x), y)
}

// swapped returns a UUID with the bytes of its first three fields in the other order; other texts as they are.
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
