package identify

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/musterhq/muster/internal/inventory"
)

// The kinds of findings.
const (
	findingShared        = "shared_identifier"
	findingTwoAgents     = "two_agents"
	findingBoardReplaced = "board_replaced"
	findingOSMoved       = "os_moved"
	findingOSReplaced    = "os_replaced"
	findingClone         = "clone"
	findingEnclosure     = "enclosure"
	findingDualBoot      = "dual_boot"
)

// findings gives what people should know, sorted by kind and records.
func (p *parting) findings(s *showing) []inventory.Finding {
	var all []inventory.Finding
	all = append(all, p.sharedFindings()...)
	all = append(all, p.enclosures()...)
	all = append(all, p.forks()...)
	all = append(all, p.changes()...)
	all = append(all, p.majorities()...)
	all = append(all, p.twoAgents()...)
	all = append(all, installationFindings(s)...)
	slices.SortFunc(all, func(a, b inventory.Finding) int {
		return cmp.Or(cmp.Compare(a.Kind, b.Kind), slices.Compare(a.Records, b.Records), cmp.Compare(a.Token, b.Token))
	})
	return slices.CompactFunc(all, func(a, b inventory.Finding) bool {
		return a.Kind == b.Kind && a.Token == b.Token && slices.Equal(a.Records, b.Records)
	})
}

// sharedFindings tells of the identifiers that several things have. An installation's is a copy of it.
func (p *parting) sharedFindings() []inventory.Finding {
	var all []inventory.Finding
	for _, token := range slices.Sorted(maps.Keys(p.shared.told)) {
		holders := p.holders(token)
		switch kindOf(token) {
		case kindChassis, kindName: // see enclosures; and names are nobody's own
		case kindOS:
			all = append(all, finding(findingClone, token, "one installation's id on %d devices at one time: it was copied", holders))
		default:
			all = append(all, finding(findingShared, token, "the same on %d devices: it counts for nothing", holders))
		}
	}
	return all
}

func (p *parting) holders(token inventory.Token) []int64 {
	var records []int64
	for _, w := range p.witnesses {
		if slices.ContainsFunc(w.Claims, func(c inventory.Claim) bool { return c.Token == token }) {
			records = append(records, w.Record)
		}
	}
	return records
}

// finding makes a finding about records, which it sorts; format has a place for their number.
func finding(kind string, token inventory.Token, format string, records []int64) inventory.Finding {
	slices.Sort(records)
	return inventory.Finding{Kind: kind, Records: records, Token: token, Text: fmt.Sprintf(format, len(records))}
}

// enclosures tells of devices in one chassis: its serial number agrees, and theirs differ.
func (p *parting) enclosures() []inventory.Finding {
	in := map[inventory.Token]map[int64]bool{}
	for _, q := range p.pairs {
		a, b := p.nodes[q.a], p.nodes[q.b]
		if !a.latest || !b.latest || q.score.families[p.rules.kinds[kindSerial].family].disagree == 0 {
			continue
		}
		intersect(a.of(kindChassis), b.of(kindChassis), nil, func(x, y claim) {
			if !x.current || !y.current {
				return
			}
			if in[x.token] == nil {
				in[x.token] = map[int64]bool{}
			}
			in[x.token][a.record], in[x.token][b.record] = true, true
		})
	}
	var all []inventory.Finding
	for token, records := range in {
		all = append(all, finding(findingEnclosure, token, "%d devices in one enclosure", slices.Sorted(maps.Keys(records))))
	}
	return all
}

// forks tells of agents that were copied with all that they knew.
func (p *parting) forks() []inventory.Finding {
	var all []inventory.Finding
	for of, c := range p.constraints {
		if c.fork {
			all = append(all, finding(findingClone, "", "%d agents that were one: the machine was copied", []int64{of.a, of.b}))
		}
	}
	return all
}

// changes tells of the boards that were replaced under an agent, and of the installations that moved.
func (p *parting) changes() []inventory.Finding {
	var all []inventory.Finding
	for _, n := range p.nodes {
		for _, c := range n.kept {
			if n.latest && p.rules.newBoard(c) {
				all = append(all, inventory.Finding{
					Kind: findingBoardReplaced, Records: []int64{n.record},
					Text: "other hardware in the same device: " + p.rules.list(c.families),
				})
			}
		}
		if n.entry != nil {
			all = append(all, inventory.Finding{
				Kind: findingOSMoved, Records: []int64{n.record}, Token: n.installation(),
				Text: "the installation runs in another device than before: " + p.rules.list(n.entry.families) + " differ",
			})
		}
	}
	return all
}

// newBoard tells whether a change is that of a board: of its own number, or of several families at once.
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

// majorities tells of records that are one device though its board differs between them.
func (p *parting) majorities() []inventory.Finding {
	var all []inventory.Finding
	for _, q := range p.joined {
		s := q.score.families
		if q.rule == ruleMajority && (s[p.rules.kinds[kindBoard].family].disagree > 0 || s[p.rules.kinds[kindSerial].family].disagree > 0) {
			records := []int64{p.nodes[q.a].record, p.nodes[q.b].record}
			all = append(all, finding(findingBoardReplaced, "", "%d records of one device tell of different boards", records))
		}
	}
	return all
}

// twoAgents tells of agents that report on one installation at one time.
func (p *parting) twoAgents() []inventory.Finding {
	var all []inventory.Finding
	for _, q := range p.pairs {
		a, b := p.nodes[q.a], p.nodes[q.b]
		token := a.installation()
		if token == "" || token != b.installation() || p.member[q.a] != p.member[q.b] || !a.agent() || !b.agent() || !a.latest || !b.latest {
			continue
		}
		if a.find(token).overlaps(*b.find(token)) {
			all = append(all, finding(findingTwoAgents, token, "%d agents report on one installation", []int64{a.record, b.record}))
		}
	}
	return all
}

func installationFindings(s *showing) []inventory.Finding {
	var all []inventory.Finding
	for _, r := range s.replaced {
		if r[0].token != "" && r[1].token != "" {
			records := []int64{r[0].best().record, r[1].best().record}
			slices.Sort(records)
			all = append(all, inventory.Finding{
				Kind: findingOSReplaced, Records: records, Token: r[1].token, Text: "the device was installed anew",
			})
		}
	}
	for _, several := range s.several {
		var records []int64
		for _, in := range several {
			if in.token != "" {
				records = append(records, in.best().record)
			}
		}
		if len(records) > 1 {
			all = append(all, finding(findingDualBoot, "", "%d installations on one device", records))
		}
	}
	return all
}
