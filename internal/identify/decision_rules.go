package identify

import (
	"slices"

	"github.com/musterhq/muster/internal/inventory"
)

// The names of the rules. Decisions store them.
const (
	ruleConstraint = "R0"
	ruleContinuity = "R1"
	ruleNative     = "R2"
	ruleStrong     = "R3"
	ruleMajority   = "R4"
	ruleVeto       = "R5"
	ruleReview     = "R6"
	ruleMove       = "R7"
	ruleNew        = "R8"
	ruleLive       = "R9"
)

// decisionRule is one of the rules by which records are one CI or not.
type decisionRule struct {
	name string
	text string // for people; {other} is the other record
	// pair decides about two records; false: the rule does not apply. It is nil for a rule about
	// something else than the identifiers of two records.
	pair func(t *thresholds, c *comparison) (outcome, bool)
}

// outcome is what a rule decides about two records: they are linked, or a review is opened, or
// neither.
type outcome struct {
	link   bool
	review string // inventory.Review…
}

// comparison is what the rules for two records look at. Its counts are those of package identify's
// thresholds.
type comparison struct {
	bits      int  // net evidence
	weak      int  // evidence of families that may only open a review
	native    bool // both have an identifier that a platform guarantees
	veto      bool // they contradict each other
	worst     int  // the largest disagreement of a family
	agreeing  int  // hardware families that agree
	boardSwap bool // an installation and its disk are in other hardware than before
}

// decisionRules is the only description of the rules. The first one that applies to a pair and is
// not disabled decides; all but R8 can be disabled. Where R0, R1, R7 and R9 apply is in constrain,
// Rules.split, partitioning.evaluate and partitioning.contest.
var decisionRules = []decisionRule{
	{
		name: ruleConstraint,
		text: "A declared constraint with {other} decides, regardless of the evidence",
	},
	{
		name: ruleContinuity,
		text: "The same device as before, although some of its hardware changed",
	},
	{
		name: ruleNative,
		text: "Same CI as {other}: they share an identifier that only one CI can have",
		pair: func(_ *thresholds, c *comparison) (outcome, bool) { return outcome{link: true}, c.native },
	},
	{
		name: ruleStrong,
		text: "Same CI as {other}: enough evidence for it and no significant evidence against it",
		pair: func(t *thresholds, c *comparison) (outcome, bool) {
			return outcome{link: true}, c.bits >= t.Link && !c.veto && c.worst < t.Disagreement
		},
	},
	{
		name: ruleMajority,
		text: "Same CI as {other}: more evidence for it than against it, from several families",
		pair: func(t *thresholds, c *comparison) (outcome, bool) {
			return outcome{link: true}, c.bits >= t.Link && !c.veto && c.agreeing >= t.Families
		},
	},
	{
		name: ruleReview,
		text: "Separate from {other} until a person decides: the evidence is not conclusive",
		pair: func(t *thresholds, c *comparison) (outcome, bool) {
			switch {
			case c.bits >= t.Link && c.veto:
				return outcome{review: inventory.ReviewBlocked}, true
			case c.bits >= t.Link:
				return outcome{review: inventory.ReviewOneFamily}, true
			case c.boardSwap:
				return outcome{review: inventory.ReviewPossibleBoardSwap}, true
			}
			return outcome{review: inventory.ReviewEvidence}, !c.veto && c.bits+c.weak >= t.Review
		},
	},
	{
		name: ruleVeto,
		text: "Separate from {other}: both were active at one time, or they differ too much",
		pair: func(_ *thresholds, c *comparison) (outcome, bool) { return outcome{}, c.veto },
	},
	{
		name: ruleMove,
		text: "The installation moved here from another device",
	},
	{
		name: ruleLive,
		text: "Separate from {other}: both report one machine, and the agent that was enrolled first is alive",
	},
	{
		name: ruleNew,
		text: "A CI of its own: no known record shares enough evidence with it",
		pair: func(*thresholds, *comparison) (outcome, bool) { return outcome{}, true },
	},
}

// ruleOf returns the rule with a name; nil: there is none.
func ruleOf(name string) *decisionRule {
	i := slices.IndexFunc(decisionRules, func(r decisionRule) bool { return r.name == name })
	if i < 0 {
		return nil
	}
	return &decisionRules[i]
}
