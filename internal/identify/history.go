package identify

import (
	"time"

	"github.com/musterhq/muster/internal/inventory"
)

// beforeReport is the resolution of stored times: an identifier was last there before the report
// that ended it.
const beforeReport = time.Microsecond

// WithHistory returns a record's evidence with the identifiers of its stored history. SeenAt
// becomes the latest time of CreatedAt, SeenAt and the history, because the time of a check-in is
// stored later than what the check-in reports.
func WithHistory(evidence inventory.RecordEvidence, history []inventory.IdentifierHistory) inventory.RecordEvidence {
	seen := later(evidence.CreatedAt, evidence.SeenAt)
	for _, h := range history {
		seen = later(seen, h.FirstSeen)
		if h.LastSeen != nil {
			seen = later(seen, *h.LastSeen)
		}
	}
	evidence.SeenAt, evidence.Identifiers = seen, nil
	for _, h := range history {
		interval := inventory.IdentifierInterval{Identifier: h.Identifier, First: h.FirstSeen, Last: seen}
		if h.LastSeen != nil {
			interval.Last = h.LastSeen.Add(-beforeReport)
		}
		evidence.Identifiers = append(evidence.Identifiers, interval)
	}
	return evidence
}

// WithSession returns a record's evidence with the session of its agent, as it was stored at the
// check-in before. A check-in after the agent was silent begins another one.
func WithSession(
	evidence inventory.RecordEvidence, stored inventory.Session, checkedIn time.Time,
) inventory.RecordEvidence {
	evidence.Session = stored
	if late := evidence.SeenAt.Sub(checkedIn); late > 0 {
		evidence.Session.Until = stored.Until.Add(late)
	}
	if evidence.SeenAt.After(stored.Until) {
		evidence.Session.Since, evidence.Session.Connected = evidence.SeenAt, false
	}
	return evidence
}

// firstSilence is how long an agent may be silent after its first check-in. The next one tells the
// collector's interval.
const firstSilence = 32 * time.Minute

// WithFirstSession returns the evidence of an agent's record whose first session begins.
func WithFirstSession(evidence inventory.RecordEvidence) inventory.RecordEvidence {
	evidence.Session = inventory.Session{Since: evidence.SeenAt, Until: evidence.SeenAt.Add(firstSilence)}
	return evidence
}

// HostIdentifiers returns the identifiers of the machine that a container runs on, which were
// rejected as its own. It is empty for anything else.
func HostIdentifiers(rejected []inventory.Rejection) []inventory.Identifier {
	hosts := []inventory.Identifier{}
	for _, rejection := range rejected {
		if rejection.Host != "" {
			hosts = append(hosts, rejection.Host)
		}
	}
	return hosts
}
