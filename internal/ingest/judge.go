package ingest

import (
	"time"

	"github.com/musterhq/muster/internal/identify"
	"github.com/musterhq/muster/internal/inventory"
	"github.com/musterhq/muster/internal/reconcile"
)

// Judge says which records are one CI and which value is true: identify and reconcile under one set of rules.
type Judge struct {
	rules      *identify.Rules
	precedence *reconcile.Precedence
}

// NewJudge makes a judge that goes by a set of identification rules: a document of its own, or what differs from the
// rules that are built in; nil: these.
func NewJudge(rules []byte) (*Judge, error) {
	j := &Judge{rules: identify.Default(), precedence: reconcile.DefaultPrecedence()}
	if rules == nil {
		return j, nil
	}
	var err error
	j.rules, err = identify.Parse(rules)
	return j, err
}

// Honest reports whether a value is no placeholder.
func (j *Judge) Honest(kind, value string) bool {
	_, ok := j.rules.Honest(kind, value)
	return ok
}

// Tokens brings identifiers into their one form.
func (j *Judge) Tokens(ids inventory.Identifiers) ([]inventory.Token, []inventory.Rejection) {
	return j.rules.Tokens(ids)
}

// Searchable tells whether records are looked for by a token.
func (j *Judge) Searchable(t inventory.Token) bool { return identify.Searchable(t) }

// Partition says which records are one CI.
func (j *Judge) Partition(n inventory.Neighborhood) inventory.Partition { return j.rules.Partition(n) }

// Observes tells whether a source sees things, and does not only list them.
func (j *Judge) Observes(source string) bool { return j.precedence.Observes(source) }

// HasLeft tells whether what is true of a CI is that it is gone: disposed of, lost.
func (j *Judge) HasLeft(attributes inventory.Attributes) bool { return reconcile.HasLeft(attributes) }

// Explain puts a reason in words.
func (j *Judge) Explain(reason inventory.Reason) string { return identify.Explain(reason) }

// RulesVersion names the identification rules.
func (j *Judge) RulesVersion() string { return j.rules.Version() }

// Rules gives the identification rules as JSON.
func (j *Judge) Rules() ([]byte, error) { return j.rules.Document() }

// Identifiers returns the identifiers that declared attributes contain.
func (j *Judge) Identifiers(baseClass string, attributes inventory.Attributes) inventory.Identifiers {
	return reconcile.Identifiers(baseClass, attributes)
}

// Reconcile gives what is true of a CI.
func (j *Judge) Reconcile(
	candidates []inventory.CandidateValues, locks []inventory.Lock, at time.Time, parents map[string]string,
) inventory.Effective {
	return reconcile.Effective(candidates, locks, at, j.precedence.WithClasses(func(class string) string { return parents[class] }))
}
