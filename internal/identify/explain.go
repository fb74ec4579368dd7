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
	rule := ruleOf(reason.Rule)
	if rule == nil { // a decision of other rules than these
		return reason.Rule
	}
	other := fmt.Sprintf("record %d", reason.With)
	return strings.ReplaceAll(rule.text, "{other}", other) + " (" + rule.name + ")"
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
