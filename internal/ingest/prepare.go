package ingest

import (
	"fmt"
	"slices"

	"github.com/musterhq/muster/internal/inventory"
	"github.com/musterhq/muster/internal/store/items"
	"github.com/musterhq/muster/internal/wire"
)

// work is what the steps compute about a job.
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

// sectionWork is what the steps compute about one section of a job.
type sectionWork struct {
	update   *Update
	state    inventory.SectionState // before the change
	summary  wire.Summary
	added    []slot
	removed  []slot
	verdicts []inventory.Verdict
	missing  int // items that were rejected for today

	held   *items.Holding  // of the record
	refs   []inventory.Ref // held items whose keys are needed
	change inventory.SectionChange
}

// slot is one item of an update.
type slot struct {
	ref      inventory.Ref // without ID until the item is interned
	unknown  *unknown      // nil: the item was in the cache
	readings []byte
}

// unknown is an item that has to be interned.
type unknown struct {
	item      inventory.Item
	hash      wire.Hash
	encoded   []byte // the facts as they came
	unchanged bool   // no verdict: the encoding may be remembered
}

// maxVerdicts bounds the stored verdicts of one section. If there are more, the last one reports
// their number.
const maxVerdicts = 100

// prepare does what needs no store: it finds the known items, decodes the others and cleans them.
func (g *Ingester) prepare(j *job) {
	for _, summary := range j.obs.Summaries {
		state := j.obs.States[summary.Section]
		state.Section = summary.Section
		j.sections = append(j.sections, &sectionWork{state: state, summary: summary})
	}
	for _, u := range j.obs.Updates {
		w := j.section(u.Section.Name)
		w.update = u
		w.added, w.verdicts = g.slots(u.Section, u.items.Added)
		// An item that was rejected when it was added is rejected again: it is not held.
		w.removed, _ = g.slots(u.Section, u.items.Removed)
	}
}

// section finds the work on a section. An update of a section without a summary, such as the daily
// readings, does not change its status.
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

// slots returns a slot for each item that is not rejected, and the verdicts.
func (g *Ingester) slots(section *wire.Section, came []wire.Encoded) ([]slot, []inventory.Verdict) {
	all := g.known.find(section, came)
	slots := all[:0]
	var verdicts []inventory.Verdict
	note := func(v inventory.Verdict) {
		if v.Outcome != "" {
			verdicts = append(verdicts, v)
		}
	}
	for i, s := range all {
		item := &came[i]
		if s.ref.ID == 0 {
			var verdict inventory.Verdict
			s.unknown, verdict = read(section, item)
			note(verdict)
			if s.unknown == nil {
				continue
			}
			s.ref.KeyHash = s.unknown.item.KeyHash
		}
		if item.Readings != nil {
			var verdict inventory.Verdict
			if s.readings, verdict = checkReadings(section, item.Readings); verdict.Outcome != "" {
				verdict.Item = keyOf(section, item.Facts)
			}
			note(verdict)
		}
		if s.unknown != nil {
			s.unknown.item.Readings = s.readings
		}
		slots = append(slots, s)
	}
	return slots, verdicts
}

// read decodes and validates an item. It returns nil if the item is rejected.
func read(section *wire.Section, encoded *wire.Encoded) (*unknown, inventory.Verdict) {
	m, verdict := validate(section, encoded.Facts)
	if m == nil {
		return nil, verdict
	}
	if !section.HasKey(m) {
		return nil, reject(verdict, "nothing names it: its key fields are empty")
	}
	facts := section.AppendFacts(make([]byte, 0, 2*len(encoded.Facts)), m)
	return &unknown{
		hash:      encoded.Hash,
		encoded:   encoded.Facts,
		unchanged: verdict.Outcome == "",
		item: inventory.Item{
			Section: section.Name, Digest: section.Digest(facts), KeyHash: section.KeyHash(m), Facts: facts,
		},
	}, verdict
}

// checkReadings returns the readings, cleaned if necessary; nil if they are rejected.
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
	cleaned, err := encodeReadings(m)
	if err != nil {
		return nil, reject(verdict, "readings: "+err.Error())
	}
	return cleaned, verdict
}

func keyOf(section *wire.Section, facts []byte) string {
	m, err := section.Decode(facts)
	if err != nil {
		return ""
	}
	return shorten(printable(section.Key(m)), maxKeyText)
}

// keepVerdicts adds the verdicts of an update to the held ones. A verdict on an item that is in the
// update replaces the held one; a whole section replaces all.
func keepVerdicts(held, received []inventory.Verdict, whole bool) []inventory.Verdict {
	var kept []inventory.Verdict
	if !whole {
		for _, v := range held {
			if !slices.ContainsFunc(received, func(c inventory.Verdict) bool { return c.Item == v.Item }) {
				kept = append(kept, v)
			}
		}
	}
	kept = append(kept, received...)
	if len(kept) > maxVerdicts {
		more := inventory.Verdict{
			Section: kept[0].Section, Outcome: inventory.OutcomeRejected,
			Reason: fmt.Sprintf("%d more items were cleaned, truncated or rejected", len(kept)-maxVerdicts+1),
		}
		kept = append(kept[:maxVerdicts-1:maxVerdicts-1], more)
	}
	return kept
}
