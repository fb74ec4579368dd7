package identify

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/musterhq/muster/internal/inventory"
)

// findings returns what people should know, sorted by type and records.
func (p *partitioning) findings(s *primaries) []inventory.Finding {
	var all []inventory.Finding
	all = append(all, p.sharedFindings()...)
	all = append(all, p.enclosures()...)
	all = append(all, p.forks()...)
	all = append(all, p.changes()...)
	all = append(all, p.majorities()...)
	all = append(all, p.twoAgents()...)
	all = append(all, installationFindings(s)...)
	slices.SortFunc(all, func(a, b inventory.Finding) int {
		return cmp.Or(
			cmp.Compare(a.Type, b.Type), slices.Compare(a.Records, b.Records), cmp.Compare(a.Identifier, b.Identifier),
		)
	})
	return slices.CompactFunc(all, func(a, b inventory.Finding) bool {
		return a.Type == b.Type && a.Identifier == b.Identifier && slices.Equal(a.Records, b.Records)
	})
}

// sharedFindings reports the identifiers that several devices share. A shared installation is a
// clone.
func (p *partitioning) sharedFindings() []inventory.Finding {
	var all []inventory.Finding
	for _, identifier := range slices.Sorted(maps.Keys(p.shared.reported)) {
		records := p.recordsWith(identifier)
		switch kindOf(identifier) {
		case kindChassis, kindName: // enclosures reports chassis; names are not unique
		case kindOS:
			all = append(all, finding(inventory.FindingClone, identifier,
				"%d devices report one installation ID at one time: the installation was copied", records))
		default:
			all = append(all, finding(inventory.FindingSharedIdentifier, identifier,
				"%d devices report one identifier: it is not counted as evidence", records))
		}
	}
	return all
}

func (p *partitioning) recordsWith(identifier inventory.Identifier) []int64 {
	has := func(c inventory.IdentifierInterval) bool { return c.Identifier == identifier }
	var records []int64
	for _, w := range p.records {
		if slices.ContainsFunc(w.Identifiers, has) {
			records = append(records, w.Record)
		}
	}
	return records
}

// finding returns a finding about records, which it sorts. format has one verb, for their number.
func finding(findingType string, identifier inventory.Identifier, format string, records []int64) inventory.Finding {
	slices.Sort(records)
	return inventory.Finding{
		Type: findingType, Records: records, Identifier: identifier, Text: fmt.Sprintf(format, len(records)),
	}
}

// enclosures reports devices in one chassis: its serial number agrees, and theirs differ.
func (p *partitioning) enclosures() []inventory.Finding {
	in := map[inventory.Identifier]map[int64]bool{}
	for _, q := range p.pairs {
		a, b := p.nodes[q.a], p.nodes[q.b]
		if !a.latest || !b.latest || q.score.families[p.rules.kinds[kindSerial].family].disagree == 0 {
			continue
		}
		intersect(a.of(kindChassis), b.of(kindChassis), nil, func(x, y interval) {
			if !x.current || !y.current {
				return
			}
			if in[x.identifier] == nil {
				in[x.identifier] = map[int64]bool{}
			}
			in[x.identifier][a.record], in[x.identifier][b.record] = true, true
		})
	}
	var all []inventory.Finding
	for identifier, records := range in {
		all = append(all, finding(inventory.FindingEnclosure, identifier,
			"%d devices share one enclosure", slices.Sorted(maps.Keys(records))))
	}
	return all
}

// forks reports agents that were copied with their state, and keys of other tools on two machines.
func (p *partitioning) forks() []inventory.Finding {
	var all []inventory.Finding
	for of, c := range p.constraints {
		if c.fork {
			all = append(all, finding(inventory.FindingClone, "",
				"%d records have one origin: the machine or its key was copied", []int64{of.a, of.b}))
		}
	}
	return all
}

// changes reports boards that were replaced under an agent and installations that moved.
func (p *partitioning) changes() []inventory.Finding {
	var all []inventory.Finding
	for _, n := range p.nodes {
		for _, c := range n.kept {
			if n.latest && p.rules.newBoard(c) {
				all = append(all, inventory.Finding{
					Type: inventory.FindingBoardReplaced, Records: []int64{n.record},
					Text: "hardware of the device was replaced: " + p.rules.list(c.families),
				})
			}
		}
		if n.entry != nil {
			all = append(all, inventory.Finding{
				Type: inventory.FindingOSMoved, Records: []int64{n.record}, Identifier: n.installation(),
				Text: "the installation moved to another device: " + p.rules.list(n.entry.families) + " differ",
			})
		}
	}
	return all
}

// newBoard reports whether the board itself changed, or several families at once.
func (r *Rules) newBoard(c *change) bool {
	return len(c.families) >= r.Thresholds.Families || slices.Contains(c.families, r.kinds[kindBoard].family)
}

func (r *Rules) list(families []int) string {
	names := make([]string, len(families))
	for i, f := range families {
		names[i] = r.familyNames[f]
	}
	return strings.Join(names, ", ")
}

// majorities reports records that are one device although they differ in its board.
func (p *partitioning) majorities() []inventory.Finding {
	var all []inventory.Finding
	for _, q := range p.joined {
		s := q.score.families
		differs := s[p.rules.kinds[kindBoard].family].disagree > 0 || s[p.rules.kinds[kindSerial].family].disagree > 0
		if q.rule == ruleMajority && differs {
			records := []int64{p.nodes[q.a].record, p.nodes[q.b].record}
			all = append(all, finding(inventory.FindingBoardReplaced, "",
				"%d records of one device report different boards", records))
		}
	}
	return all
}

// twoAgents reports agents on one installation at one time.
func (p *partitioning) twoAgents() []inventory.Finding {
	var all []inventory.Finding
	for _, q := range p.pairs {
		a, b := p.nodes[q.a], p.nodes[q.b]
		identifier := a.installation()
		if !a.agent() || !b.agent() || !a.latest || !b.latest || p.member[q.a] != p.member[q.b] {
			continue
		}
		if identifier == "" || identifier != b.installation() {
			continue
		}
		if a.find(identifier).overlaps(*b.find(identifier)) {
			all = append(all, finding(inventory.FindingTwoAgents, identifier,
				"%d agents report on one installation", []int64{a.record, b.record}))
		}
	}
	return all
}

func installationFindings(s *primaries) []inventory.Finding {
	var all []inventory.Finding
	for _, r := range s.replaced {
		if r[0].identifier != "" && r[1].identifier != "" {
			records := []int64{r[0].best().record, r[1].best().record}
			slices.Sort(records)
			all = append(all, inventory.Finding{
				Type: inventory.FindingOSReplaced, Records: records, Identifier: r[1].identifier,
				Text: "the device was reinstalled",
			})
		}
	}
	for _, several := range s.several {
		var records []int64
		for _, in := range several {
			if in.identifier != "" {
				records = append(records, in.best().record)
			}
		}
		if len(records) > 1 {
			all = append(all, finding(inventory.FindingDualBoot, "", "%d installations on one device", records))
		}
	}
	return all
}
