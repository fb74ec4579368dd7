package identify

import (
	"fmt"
	"strings"

	"github.com/musterhq/muster/internal/inventory"
)

// Explain says a reason in one sentence, such as
//
//	Linked with record 42 by R4: smbios 35 (serial, uuid), mac 30 (2 × mac); against it: disk 4 (2 × disk).
func Explain(reason inventory.Reason) string {
	var b strings.Builder
	b.WriteString(verdict(reason))
	if len(reason.For) > 0 {
		b.WriteString(": " + spell(reason.For))
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
		return "Settled with respect to " + with + " by R0"
	case ruleContinuity:
		return "The same device as before by R1, though parts of it changed"
	case ruleNative, ruleStrong, ruleMajority:
		return "Linked with " + with + " by " + reason.Rule
	case ruleVeto:
		return "Kept apart from " + with + " by R5"
	case ruleReview:
		return "Kept apart from " + with + " by R6 until a person decides"
	case ruleMove:
		return "Moved here from another device by R7"
	}
	return "New by " + reason.Rule
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
		for _, token := range e.Tokens {
			if kindOf(token) == k {
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
