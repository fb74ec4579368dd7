package identify

import (
	"fmt"
	"strings"

	"github.com/musterhq/muster/internal/inventory"
)

// Explain states a reason in one sentence, such as
//
//	Same CI as record 42: more evidence for it than against it, from several families (R4);
//	evidence for: smbios 35 (serial, uuid), mac 30 (2 × mac); evidence against: disk 4 (2 × disk).
func Explain(reason inventory.Reason) string {
	var b strings.Builder
	b.WriteString(verdict(reason))
	if len(reason.For) > 0 {
		b.WriteString("; evidence for: " + spell(reason.For))
	}
	if len(reason.Against) > 0 {
		b.WriteString("; evidence against: " + spell(reason.Against))
	}
	if n := len(reason.Shared); n > 0 {
		fmt.Fprintf(&b, "; not counted: %s that other CIs share", count(n, "identifier"))
	}
	if n := len(reason.Rejected); n > 0 {
		fmt.Fprintf(&b, "; %s rejected", count(n, "identifier"))
	}
	return b.String() + "."
}

func verdict(reason inventory.Reason) string {
	with := fmt.Sprintf("record %d", reason.With)
	switch reason.Rule {
	case ruleConstraint:
		return "A declared constraint with " + with + " decides, regardless of the evidence (R0)"
	case ruleContinuity:
		return "The same device as before, although some of its hardware changed (R1)"
	case ruleNative:
		return "Same CI as " + with + ": they share an identifier that only one CI can have (R2)"
	case ruleStrong:
		return "Same CI as " + with + ": enough evidence for it and no significant evidence against it (R3)"
	case ruleMajority:
		return "Same CI as " + with + ": more evidence for it than against it, from several families (R4)"
	case ruleVeto:
		return "Separate from " + with + ": both were active at one time, or they differ too much (R5)"
	case ruleReview:
		return "Separate from " + with + " until a person decides: the evidence is not conclusive (R6)"
	case ruleMove:
		return "The installation moved here from another device (R7)"
	}
	return "A CI of its own: no known record shares enough evidence with it (" + reason.Rule + ")"
}

// spell lists each family with its bits and its kinds of identifiers.
func spell(evidence []inventory.Evidence) string {
	parts := make([]string, len(evidence))
	for i, e := range evidence {
		parts[i] = fmt.Sprintf("%s %d (%s)", e.Family, e.Bits, kindsOf(e))
	}
	return strings.Join(parts, ", ")
}

// kindsOf lists the kinds of identifiers in a piece of evidence, with the number of each.
func kindsOf(e inventory.Evidence) string {
	var parts []string
	for k, name := range kindNames {
		n := 0
		for _, identifier := range e.Identifiers {
			if kindOf(identifier) == k {
				n++
			}
		}
		switch {
		case n == 1:
			parts = append(parts, name)
		case n > 1:
			parts = append(parts, fmt.Sprintf("%d × %s", n, name))
		}
	}
	if e.Past {
		parts = append(parts, "no longer reported")
	}
	return strings.Join(parts, ", ")
}

func count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
