package resolve

import (
	"time"

	"github.com/musterhq/muster/internal/identify"
	"github.com/musterhq/muster/internal/inventory"
	"github.com/musterhq/muster/internal/reconcile"
)

// ruleSet is what decides: the identification rules and the precedence of sources.
type ruleSet struct {
	*identify.Rules

	precedence *reconcile.Precedence
}

// defaultRules returns the built-in rules.
func defaultRules() *ruleSet {
	return &ruleSet{identify.Default(), reconcile.DefaultPrecedence()}
}

// parseRules reads identification rules: a whole document, or what differs from the built-in rules.
func parseRules(document []byte) (*ruleSet, error) {
	rules, err := identify.Parse(document)
	if err != nil {
		return nil, err
	}
	return &ruleSet{rules, reconcile.DefaultPrecedence()}, nil
}

// reconcile returns the effective class, name and attributes of a CI; parents maps each class to
// its parent.
func (r *ruleSet) reconcile(
	candidates []inventory.CandidateValues, locks []inventory.Lock, at time.Time, parents map[string]string,
) inventory.Effective {
	parent := func(class string) string { return parents[class] }
	return reconcile.Effective(candidates, locks, at, r.precedence.WithClasses(parent))
}
