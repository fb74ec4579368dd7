package identify

import (
	"encoding/hex"
	"strings"

	"github.com/musterhq/muster/internal/inventory"
)

// macLength is the length of an EUI-48, in bytes.
const macLength = 6

var macPunctuation = strings.NewReplacer(":", "", "-", "", ".", "")

// parseMAC returns a folded address as twelve digits with colons. It reads the forms with hyphens,
// dots and without separators.
func parseMAC(folded string) (string, bool) {
	raw, err := hex.DecodeString(macPunctuation.Replace(folded))
	if err != nil || len(raw) != macLength {
		return "", false
	}
	pairs := make([]string, macLength)
	for i, b := range raw {
		pairs[i] = hex.EncodeToString([]byte{b})
	}
	return strings.Join(pairs, ":"), true
}

// checkMAC returns the one form of a folded address, or the pattern that rejects it.
func (r *Rules) checkMAC(folded string) (form, pattern string) {
	if folded == "" {
		return "", patternEmpty
	}
	form, ok := parseMAC(folded)
	if !ok {
		return "", patternMalformed
	}
	return form, r.rejectPattern(kindNames[kindMAC], form)
}

// noAddress is the permanent address of a card that has none.
const noAddress = "00:00:00:00:00:00"

// address returns the permanent address of an interface, or its current one if that is unknown.
func address(i inventory.InterfaceID) string {
	if form, ok := parseMAC(fold(i.Permanent)); ok && form != noAddress {
		return i.Permanent
	}
	return i.MAC
}
