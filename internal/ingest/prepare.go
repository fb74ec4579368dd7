package ingest

import (
	"fmt"
	"slices"

	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/musterhq/muster/internal/inventory"
	"github.com/musterhq/muster/internal/store/items"
	"github.com/musterhq/muster/internal/wire"
)

// work is what is worked out about a job on the way to its change.
type work struct {
	sections   []*sectionWork
	verdicts   []inventory.Verdict
	held       *items.Holding // before the change, of the sections that changes need
	change     inventory.Change
	observed   *inventory.Observed         // nil: nothing changed that identifies or describes the machine
	assignment *inventory.RecordAssignment // nil: the record was not resolved
	committed  bool
	result
}

// sectionWork is one update on the way to its section's change.
type sectionWork struct {
	update   *Update
	state    inventory.SectionState // what is held
	summary  wire.Summary
	added    []slot
	removed  []slot
	verdicts []inventory.Verdict

	held   *items.Holding  // of the record
	refs   []inventory.Ref // held items whose keys are needed
	change inventory.SectionChange
}

// slot is the place of an item: its ref, once it is known, and what to intern until then.
type slot struct {
	ref      inventory.Ref
	item     inventory.Item
	hash     wire.Hash
	pristine bool // nothing had to be mended: the encoding may be remembered
	readings []byte
}

// maxVerdicts bounds the verdicts kept of one section; the last one then says how many more there were.
const maxVerdicts = 100

// prepare does what needs no store: finds the items that are known, reads and mends the others.
func (g *Ingester) prepare(j *job) {
	for _, summary := range j.obs.Summaries {
		state := j.obs.States[summary.Section]
		state.Section = summary.Section
		j.sections = append(j.sections, &sectionWork{state: state, summary: summary})
	}
	for _, u := range j.obs.Updates {
		w := j.section(u.Section.Name)
		w.update = u
		w.added, w.verdicts = g.slots(u.Section, u.added)
		w.removed, _ = g.slots(u.Section, u.removed) // what was refused when it came is not held and not missed
	}
}

// section finds the work on a section. An update of a section that the check-in does not summarize, as the daily
// readings are, leaves its status as it is.
func (j *job) section(name string) *sectionWork {
	for _, w := range j.sections {
		if w.summary.Section == name {
			return w
		}
	}
	state := j.obs.States[name]
	w := &sectionWork{state: state, summary: wire.Summary{
		Section: name, Status: state.Status, Message: state.Message, Root: state.Root,
	}}
	j.sections = append(j.sections, w)
	return w
}

func (g *Ingester) slots(section *wire.Section, came []sent) ([]slot, []inventory.Verdict) {
	slots := make([]slot, 0, len(came))
	var verdicts []inventory.Verdict
	for _, item := range came {
		ref, found := g.known.Get(encoding{section, item.hash})
		s := slot{hash: item.hash, ref: ref}
		if !found {
			var verdict inventory.Verdict
			if s, verdict = read(section, item); verdict.Outcome != "" {
				verdicts = append(verdicts, verdict)
			}
			if s.item.Facts == nil {
				continue
			}
		}
		if item.readings != nil {
			var verdict inventory.Verdict
			if s.readings, verdict = checkReadings(section, item.readings); verdict.Outcome != "" {
				verdict.Item = keyOf(section, item.facts)
				verdicts = append(verdicts, verdict)
			}
		}
		slots = append(slots, s)
	}
	return slots, verdicts
}

// read makes an item of what came. A rejected one has no facts.
func read(section *wire.Section, item sent) (slot, inventory.Verdict) {
	m, verdict := validate(section, item.facts)
	if m == nil {
		return slot{}, verdict
	}
	if !section.HasKey(m) {
		return slot{}, reject(verdict, "nothing names it: its key fields are empty")
	}
	facts := section.AppendFacts(nil, m)
	key := section.KeyHash(m)
	return slot{
		hash:     item.hash,
		pristine: verdict.Outcome == "",
		ref:      inventory.Ref{KeyHash: key},
		item: inventory.Item{
			Section: section.Name, Digest: section.Digest(facts), KeyHash: key, Facts: facts,
		},
	}, verdict
}

// checkReadings gives readings fit to be kept, or nil.
func checkReadings(section *wire.Section, encoded []byte) ([]byte, inventory.Verdict) {
	if len(encoded) <= maxItemBytes && plain(section, encoded) {
		return encoded, inventory.Verdict{}
	}
	m, verdict := validate(section, encoded)
	if verdict.Outcome == "" {
		return encoded, verdict
	}
	verdict.Reason = "readings: " + verdict.Reason
	if m == nil {
		return nil, verdict
	}
	mended, err := encodeReadings(m)
	if err != nil {
		return nil, reject(verdict, "readings: "+err.Error())
	}
	return mended, verdict
}

func keyOf(section *wire.Section, facts []byte) string {
	var m protoreflect.Message
	m, err := section.Decode(facts)
	if err != nil {
		return ""
	}
	return shorten(printable(section.Key(m)), maxKeyText)
}

// keepVerdicts adds verdicts on what came to those on what is held. Verdicts on items that came again go.
func keepVerdicts(held, came []inventory.Verdict, whole bool) []inventory.Verdict {
	var kept []inventory.Verdict
	if !whole {
		for _, v := range held {
			if !slices.ContainsFunc(came, func(c inventory.Verdict) bool { return c.Item == v.Item }) {
				kept = append(kept, v)
			}
		}
	}
	kept = append(kept, came...)
	if len(kept) > maxVerdicts {
		more := inventory.Verdict{
			Section: kept[0].Section, Outcome: inventory.OutcomeRejected,
			Reason: fmt.Sprintf("%d more items were cleaned, truncated or rejected", len(kept)-maxVerdicts+1),
		}
		kept = append(kept[:maxVerdicts-1:maxVerdicts-1], more)
	}
	return kept
}
