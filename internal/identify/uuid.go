package identify

import (
	"bytes"
	"encoding/hex"
	"strings"

	"github.com/google/uuid"
)

var uuidPunctuation = strings.NewReplacer("-", "", "{", "", "}", "", "urn:uuid:", "")

// parseUUID parses 32 hexadecimal digits, with or without hyphens and braces, of a folded value.
func parseUUID(folded string) (uuid.UUID, bool) {
	digits := uuidPunctuation.Replace(folded)
	raw, err := hex.DecodeString(digits)
	if err != nil || len(raw) != len(uuid.UUID{}) {
		return uuid.UUID{}, false
	}
	return uuid.UUID(raw), true
}

// swap returns the other byte order of a UUID. Before SMBIOS 2.6 the first three fields were not
// specified to be little-endian (SMBIOS 3.7 §7.2.1), so one machine may show two.
func swap(u uuid.UUID) uuid.UUID {
	return uuid.UUID{
		u[3],
		u[2],
		u[1],
		u[0],
		u[5],
		u[4],
		u[7],
		u[6],
		u[8],
		u[9],
		u[10],
		u[11],
		u[12],
		u[13],
		u[14],
		u[15],
	}
}

// canonical returns the smaller of the two byte orders of a UUID.
func canonical(u uuid.UUID) uuid.UUID {
	if swapped := swap(u); bytes.Compare(swapped[:], u[:]) < 0 {
		return swapped
	}
	return u
}

// checkUUID returns the canonical form of a folded UUID, or the pattern that rejects it in either
// byte order.
func (r *Rules) checkUUID(folded string) (form, pattern string) {
	if folded == "" {
		return "", patternEmpty
	}
	u, ok := parseUUID(folded)
	if !ok {
		return "", patternMalformed
	}
	for _, reading := range []uuid.UUID{u, swap(u)} {
		if pattern := r.rejectPattern(kindNames[kindUUID], reading.String()); pattern != "" {
			return "", pattern
		}
	}
	return canonical(u).String(), ""
}

// uuidSerials are prefixes of serial numbers that hypervisors derive from the UUID: its bytes
// follow, e.g. "VMware-56 4d 60 49 9d 7d 6e 8b-b1 2c 52 d0 1f 76 a3 0e".
var uuidSerials = []string{"vmware-", "parallels-"}

// serialUUID returns the UUID that a folded serial number was derived from.
func serialUUID(folded string) (string, bool) {
	for _, prefix := range uuidSerials {
		if rest, ok := strings.CutPrefix(folded, prefix); ok {
			u, ok := parseUUID(strings.ReplaceAll(rest, " ", ""))
			return u.String(), ok
		}
	}
	return "", false
}

// hexID returns an installation's id without separators if it has 32 digits: machine-id(5) has no
// separators, a MachineGuid has hyphens.
func hexID(folded string) string {
	if u, ok := parseUUID(folded); ok {
		return hex.EncodeToString(u[:])
	}
	return folded
}
