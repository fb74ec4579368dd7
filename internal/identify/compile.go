package identify

import (
	"fmt"
	"slices"
)

// maxBits bounds a weight, so that sums stay meaningful.
const maxBits = 1000

// The kinds of identifiers, in alphabetical order, which is that of sorted identifiers.
const (
	kindBoard = iota
	kindChassis
	kindDisk
	kindMAC
	kindName
	kindNative
	kindOS
	kindSerial
	kindSerialUnscoped
	kindTPM
	kindUnit
	kindUUID
	kindCount
)

var kindNames = [kindCount]string{
	"board", "chassis", "disk", "mac", "name", "native", "os", "serial", "serial_unscoped", "tpm", "unit", "uuid",
}

// kind is a compiled weight.
type kind struct {
	weight

	family    int // its index in Rules.familyNames
	insteadOf int // a kind; -1: none
}

// compile checks the document and prepares it for decisions.
func (r *Rules) compile() error {
	for name := range r.Enabled {
		if name == ruleNew || ruleOf(name) == nil {
			return fmt.Errorf("rule %s: there is no such rule, or it cannot be disabled", name)
		}
	}
	if err := r.Thresholds.check(); err != nil {
		return err
	}
	for name := range r.Kinds {
		if !slices.Contains(kindNames[:], name) {
			return fmt.Errorf("kind %s is not known", name)
		}
	}
	if err := r.compileFamilies(); err != nil {
		return err
	}
	for i, name := range kindNames {
		if err := r.compileKind(i, name); err != nil {
			return fmt.Errorf("kind %s: %w", name, err)
		}
	}
	for source, class := range r.Sources {
		if class != sourceAgent && class != sourceInventory && class != "" {
			return fmt.Errorf(
				"source %s: class %q is neither %q nor %q nor empty", source, class, sourceAgent, sourceInventory,
			)
		}
	}
	return r.compileRejects()
}

func (r *Rules) compileFamilies() error {
	for name, f := range r.Families {
		if f.Bonus < 0 || f.Bonus > maxBits {
			return fmt.Errorf("family %s: bonus %d is not within 0 and %d", name, f.Bonus, maxBits)
		}
	}
	r.familyNames = nil
	for _, w := range r.Kinds {
		if _, ok := r.Families[w.Family]; ok {
			r.familyNames = append(r.familyNames, w.Family)
		}
	}
	slices.Sort(r.familyNames)
	r.familyNames = slices.Compact(r.familyNames)
	r.families, r.on = make([]family, len(r.familyNames)), make([]int, len(r.familyNames))
	for i, name := range r.familyNames {
		f := r.Families[name]
		r.families[i], r.on[i] = f, slices.Index(r.familyNames, f.On)
		if f.On != "" && r.on[i] < 0 {
			return fmt.Errorf("family %s: on %q, which is not known", name, f.On)
		}
	}
	return nil
}

func (r *Rules) compileKind(i int, name string) error {
	w := r.Kinds[name]
	for _, bits := range []int{w.Agree, w.Disagree, w.Cap} {
		if bits < 0 || bits > maxBits {
			return fmt.Errorf("weight %d is not within 0 and %d", bits, maxBits)
		}
	}
	k := kind{weight: w, family: slices.Index(r.familyNames, w.Family), insteadOf: -1}
	if k.family < 0 {
		return fmt.Errorf("family %q is not known", w.Family)
	}
	if w.InsteadOf != "" {
		k.insteadOf = slices.Index(kindNames[:], w.InsteadOf)
		if k.insteadOf < 0 || r.Kinds[w.InsteadOf].Family != w.Family {
			return fmt.Errorf("instead_of %q is not a kind of its family", w.InsteadOf)
		}
	}
	r.kinds[i] = k
	return nil
}

func (t thresholds) check() error {
	switch {
	case t.Review <= 0:
		return fmt.Errorf("threshold review: %d is not positive: every pair would be reviewed", t.Review)
	case t.Link <= t.Review:
		return fmt.Errorf("threshold link: %d is not above review, %d", t.Link, t.Review)
	case t.Veto >= 0:
		return fmt.Errorf("threshold veto: %d is not negative", t.Veto)
	case t.Disagreement <= 0 || t.Contradiction <= 0:
		return fmt.Errorf("thresholds disagreement, %d, and contradiction, %d, must be positive",
			t.Disagreement, t.Contradiction)
	case t.Moved > t.Kept:
		return fmt.Errorf("threshold moved: %d is above kept, %d", t.Moved, t.Kept)
	case t.Families <= 0:
		return fmt.Errorf("threshold families: %d is not positive", t.Families)
	case t.OldDays < 0 || t.OldDays > 36500:
		return fmt.Errorf("threshold old_days: %d is not within 0 and 36500", t.OldDays)
	}
	return nil
}
