package host

import (
	"fmt"
	"time"
)

// Logon is what Windows keeps of an account that was logged on at the machine's own console. Linux keeps a file of
// all sessions instead.
type Logon struct {
	SID         string    // e.g. "S-1-5-21-1004336348-1177238915-682003330-1001"
	Account     string    // `DOMAIN\name`; the domain of an account of the machine is the machine's name, or "."
	Principal   string    // what was typed in, e.g. "name@example.com"; only of the last
	DisplayName string    // empty: not known
	LoadedAt    time.Time // when its profile was loaded last; zero: not known
	Last        bool      // nobody logged on at the console after it
}

// Logons lists who logged on last, and the machine's own accounts that have a profile on it. Those of a domain are not
// among the others: to know their names, the domain would have to be asked.
func (h *Host) Logons() ([]Logon, error) {
	if !h.Live() {
		return nil, fmt.Errorf("logons of a tree: %w", ErrUnsupported)
	}
	return logons()
}
