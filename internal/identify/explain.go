package identify

import (
	"fmt"
	"strings"

	"github.com/musterhq/muster/internal/inventory"
)

// Explain says a reason in one sentence, such as
//
//	One with record 42: more agrees than not, in several respects (R4); for it: smbios 35 (serial, uuid), mac 30 (2 × mac);
//	against it: disk 4 (2 × disk).
func Explain(reason inventory.Reason) string {
	var b strings.Builder
	b.WriteString(verdict(reason))
	if len(reason.For) > 0 {
		b.WriteString("; for it: " + spell(reason.For))
	}
	if len(reason.Against) > 0 {
		b.WriteString("; against it: " + spell(reason.Against))
	}
	if n := len(reason.Shared); n > 0 {
		fmt.Fprintf(&b, "; %s that others have too: not counted", count(n, "identifier"))
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
		return "Settled for it and " + with + ", whatever the evidence (R0)"
	case ruleContinuity:
		return "The same device as before, though parts of it changed (R1)"
	case ruleNative:
		return "One with " + with + ", which has an identifier that one thing alone has (R2)"
	case ruleStrong:
		return "One with " + with + ": enough agrees and nothing speaks against it (R3)"
	case ruleMajority:
		return "One with " + with + ": more agrees than not, in several respects (R4)"
	case ruleVeto:
		return "Apart from " + with + ": both were there at once, or differ too much (R5)"
	case ruleReview:
		return "Apart from " + with + " until a person decides: something agrees, and not enough (R6)"
	case ruleMove:
		return "Moved here from another device (R7)"
	}
	return "A thing of its own: nothing known has enough in common with it (" + reason.Rule + ")"
}

func spell(evidence []inventory.Evidence) string {
	parts := make([]string, len(evidence))
	for i, e := range evidence {
		parts[i] = fmt.Sprintf("%s %d (%s)", e.Family, e.Bits, kindsOf(e))
	}
	return strings.Join(parts, ", ")
}

// kindsOf names the kinds of the tokens of a piece of evidence, and how many there are of each.
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
