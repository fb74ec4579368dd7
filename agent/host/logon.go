package host

import "time"

// Logon is what Windows records about an account that logged on at the machine's console. Linux
// keeps a file of all sessions instead.
type Logon struct {
	SID         string    // e.g. "S-1-5-21-1004336348-1177238915-682003330-1001"
	Account     string    // `DOMAIN\name`; for a local account the domain is the machine's name, or "."
	Principal   string    // as typed in, e.g. "name@example.com"; only for the last logon
	DisplayName string    // empty if unknown
	LoadedAt    time.Time // last time the profile was loaded; zero if unknown
	Last        bool      // the most recent logon at the console
}

// Logons returns the last logon and the local accounts that have a profile on the machine. Other
// domain accounts are left out: their names would need a request to the domain.
func (h *Host) Logons() ([]Logon, error) {
	return ask(h, "logons", "", logons)
}
