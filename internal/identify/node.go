package identify

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/musterhq/muster/internal/inventory"
)

// The classes of sources that matter to identity. Others, such as a purchase or a person, say what they were told.
const (
	sourceAgent     = "agent"     // it is in the machine: what it says is so now
	sourceInventory = "inventory" // it looked at the machine once
)

// claim is a token that a node has or had.
type claim struct {
	token       inventory.Token
	kind        int
	first, last time.Time
	current     bool // it had the token when it was last heard of
	doubtful    bool // of a state: it may not have held then
}

// overlaps tells whether two claims held at one time, for more than an instant of which nobody knows what was first.
func (c claim) overlaps(d claim) bool { return c.first.Before(d.last) && d.first.Before(c.last) }

// node is what is placed: one device as one record saw it. A record whose installation moved has several.
type node struct {
	record  int64
	era     int    // of the record, from the first
	latest  bool   // the record's thing is this one now
	class   string // of the thing; "": not said
	source  string // its class
	created time.Time
	seen    time.Time
	home    string
	claims  []claim // sorted by token, so that those of a kind stand together
	starts  [kindCount + 1]int
	entry   *change   // by which the record came to it from another device; nil: it did not
	kept    []*change // of its parts, by the time

	restless  bool    // parts were replaced, so that claims may not have held all the time: see Rules.doubted
	sightings []*node // see Rules.sightings; nil: not made yet
}

// of gives the claims of a kind.
func (n *node) of(k int) []claim { return n.claims[n.starts[k]:n.starts[k+1]] }

// agent tells whether the node's source is alive in it.
func (n *node) agent() bool { return n.source == sourceAgent }

// index makes the claims fit to be compared.
func (n *node) index() {
	slices.SortFunc(n.claims, func(a, b claim) int { return cmp.Or(cmp.Compare(a.kind, b.kind), cmp.Compare(a.token, b.token)) })
	at := 0
	for k := range kindCount {
		n.starts[k] = at
		for at < len(n.claims) && n.claims[at].kind == k {
			at++
		}
	}
	n.starts[kindCount] = at
}

// find gives the node's claim of a token, nil where it has none.
func (n *node) find(token inventory.Token) *claim {
	k := kindOf(token)
	if k < 0 {
		return nil
	}
	claims := n.of(k)
	i, ok := slices.BinarySearchFunc(claims, token, func(c claim, t inventory.Token) int { return cmp.Compare(c.token, t) })
	if !ok {
		return nil
	}
	return &claims[i]
}

// whole gives a witness as one node, without what is frozen.
func (r *Rules) whole(w inventory.Witness, frozen map[inventory.Token]bool) *node {
	kind, _, _ := strings.Cut(w.Source, ":")
	n := &node{
		record: w.Record, latest: true, class: w.Kind, source: r.Sources[kind],
		created: w.CreatedAt, seen: w.SeenAt, home: w.Home, claims: make([]claim, 0, len(w.Claims)),
	}
	for _, c := range w.Claims {
		if k := kindOf(c.Token); k >= 0 && !frozen[c.Token] {
			n.claims = append(n.claims, claim{token: c.Token, kind: k, first: c.First, last: c.Last})
		}
	}
	n.index()
	n.claims = join(n.claims)
	n.index()
	for i := range n.claims {
		n.claims[i].current = !n.claims[i].last.Before(n.seen)
	}
	n.restless = slices.ContainsFunc(n.claims, func(c claim) bool { return r.kinds[c.kind].Single && !c.current })
	return n
}

// doubted tells whether a claim of a thing's only part of a kind may not have held at a time: after another such part was
// last there, and before the next one of its kind was. Either that was replaced, or the record was elsewhere.
func (r *Rules) doubted(claims []claim, c claim, from, to time.Time) bool {
	if !r.kinds[c.kind].Single {
		return false
	}
	return slices.ContainsFunc(claims, func(d claim) bool {
		return r.kinds[d.kind].Single && !d.last.Before(c.first) && d.last.Before(from) && slices.ContainsFunc(claims, func(e claim) bool {
			return e.kind == d.kind && to.Before(e.first) && !e.first.After(c.last)
		})
	})
}

// join makes one of the claims of a token, which are sorted: the earliest beginning and the latest end.
func join(claims []claim) []claim {
	joined := claims[:0]
	for _, c := range claims {
		if n := len(joined); n > 0 && joined[n-1].token == c.token {
			last := &joined[n-1]
			if c.first.Before(last.first) {
				last.first = c.first
			}
			if c.last.After(last.last) {
				last.last = c.last
			}
			continue
		}
		joined = append(joined, c)
	}
	return joined
}
