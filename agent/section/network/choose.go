package network

import "slices"

// choose returns the interfaces by which traffic can leave the machine, as the package comment
// defines them.
func choose(links []*link, gateways map[string][]string) []*link {
	byName := make(map[string]*link, len(links))
	for _, l := range links {
		byName[l.item.Name] = l
	}
	c := chooser{links: byName, gateways: gateways, kept: map[string]bool{}}
	var chosen []*link
	for _, l := range links {
		if c.keeps(l.item.Name) {
			if l.item.Type == "" && l.hardware == arpEthernet {
				l.item.Type = ethernet
			}
			chosen = append(chosen, l)
		}
	}
	return chosen
}

type chooser struct {
	links    map[string]*link
	gateways map[string][]string
	kept     map[string]bool
}

func (c chooser) keeps(name string) bool {
	kept, decided := c.kept[name]
	if decided {
		return kept
	}
	c.kept[name] = false // ends a cycle of interfaces built on each other
	kept = c.decide(c.links[name])
	c.kept[name] = kept
	return kept
}

func (c chooser) decide(l *link) bool {
	switch {
	case l == nil || l.loopback:
		return false
	case len(c.gateways[l.item.Name]) > 0:
		return true
	case l.internal:
		return false
	case l.physical != nil: // Windows and macOS
		return *l.physical && l.item.Mac != "" || l.item.Type == tunnel && l.up
	case l.hardware == "": // nothing more is known
		return l.item.Mac != "" || l.up
	case !l.item.GetIsVirtual():
		return l.item.Type != ""
	case l.item.Type == tunnel:
		return l.up
	default:
		return c.anyKept(l.ports)
	}
}

func (c chooser) anyKept(names []string) bool {
	return slices.ContainsFunc(names, c.keeps)
}
