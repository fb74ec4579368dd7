package api

import (
	"context"
	"encoding/json"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/musterhq/muster/internal/inventory"
)

// identityStore says which records are one CI, and why.
type identityStore interface {
	reviewStore

	Identity(ctx context.Context, id string, asOf time.Time) (inventory.Identity, error)
	MergeCIs(ctx context.Context, ids []string, actor inventory.Actor) (ci string, err error)
	SplitCI(ctx context.Context, id string, records []int64, actor inventory.Actor) error
	UndoDecision(ctx context.Context, id int64, actor inventory.Actor) error
	Simulate(ctx context.Context, rules []byte) (inventory.Simulation, error)
	IdentityRules() ([]byte, error)
}

// IdentityOutput answers with the reasons why a CI is one thing.
type IdentityOutput struct{ Body inventory.Identity }

// MergeInput says that several CIs are one.
type MergeInput struct {
	CIPath

	Body struct {
		With   []string `json:"with" minItems:"1" maxItems:"100" doc:"The ids of the other CIs."`
		Reason string   `json:"reason" minLength:"1" maxLength:"500" doc:"Why, for those who ask later."`
	}
}

// SplitInput says that some records of a CI are another thing.
type SplitInput struct {
	CIPath

	Body struct {
		Records []int64 `json:"records" minItems:"1" maxItems:"1000" doc:"The source records that are the other thing, see the CI's identity."`
		Reason  string  `json:"reason" minLength:"1" maxLength:"500" doc:"Why, for those who ask later."`
	}
}

// WhyBody is a request that says nothing but why.
type WhyBody struct {
	Body struct {
		Reason string `json:"reason" minLength:"1" maxLength:"500" doc:"Why, for those who ask later."`
	}
}

// UndoInput undoes a decision.
type UndoInput struct {
	ID int64 `path:"id" minimum:"1" doc:"The decision's id."`
	WhyBody
}

// RuleSet is a set of identification rules as JSON.
type RuleSet json.RawMessage

// UnmarshalJSON takes the rules as they are.
func (r *RuleSet) UnmarshalJSON(b []byte) error {
	*r = append((*r)[:0], b...)
	return nil
}

// MarshalJSON gives the rules as they are.
func (r RuleSet) MarshalJSON() ([]byte, error) { return r, nil }

// Schema describes rules; what can be in them is the business of identification.
func (RuleSet) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{Type: huma.TypeObject, AdditionalProperties: true}
}

// RulesOutput answers with the rules of identification.
type RulesOutput struct{ Body RuleSet }

// SimulateInput asks what other rules would change.
type SimulateInput struct{ Body RuleSet }

// SimulateOutput answers with what other rules would change.
type SimulateOutput struct{ Body inventory.Simulation }

const identityTag = "Identity"

func (s *server) registerIdentity() {
	s.registerIdentityOf("/api/v1/cis/{id}", "ci", "a CI")
	s.registerIdentityOf("/api/v1/devices/{id}", "device", "a device")

	undo := s.operation(http.MethodPost, "/api/v1/identity/decisions/{id}/undo", "undo-decision", identityTag, "Undo a decision")
	undo.Description = "What it linked is apart from then on, and what it kept apart is free. " +
		`E.g. {"reason": "two machines of one batch"}.`
	handle(s, undo, func(ctx context.Context, in *UndoInput) (*struct{}, error) {
		if err := checkText("body.reason", in.Body.Reason); err != nil {
			return nil, err
		}
		return nil, s.Store.UndoDecision(ctx, in.ID, actor(ctx, in.Body.Reason))
	})

	rules := s.operation(http.MethodGet, "/api/v1/identity/rules", "get-rules", identityTag, "Get the rules of identification")
	rules.Description = "The thresholds, in bits; what identifiers weigh where they agree and disagree; which values count for nothing. " +
		"R0 to R8 are the outcomes: R0 was settled; R1 is the record that it was; R2 has an identifier that one thing alone has; " +
		"R3 has enough in common and nothing against it; R4 more for it than against it, in several respects; R5 is apart, for both were " +
		"there at once or differ too much; R6 waits for a person; R7 moved with its installation; R8 is new."
	handle(s, rules, func(context.Context, *struct{}) (*RulesOutput, error) {
		document, err := s.Store.IdentityRules()
		return &RulesOutput{Body: document}, err
	})

	simulate := s.operation(http.MethodPost, "/api/v1/identity/simulate", "simulate-rules", identityTag, "Say what other rules would change")
	simulate.Description = "The body is what of the rules in force, see /api/v1/identity/rules, shall be another, with a version of its own. " +
		"All records are placed by them, from what is known of them now. Nothing is changed. " +
		`E.g. {"version": "bolder", "thresholds": {"link": 20}, "kinds": {"disk": {"agree": 20}}}.`
	simulate.MaxBodyBytes = maxRules
	handle(s, simulate, func(ctx context.Context, in *SimulateInput) (*SimulateOutput, error) {
		simulation, err := s.Store.Simulate(ctx, in.Body)
		if err != nil {
			return nil, err
		}
		return &SimulateOutput{Body: simulation}, nil
	})
}

// maxRules bounds a set of rules, in bytes.
const maxRules = 1 << 20

// registerIdentityOf registers what can be asked and said of the identity of a CI, which a device is too.
func (s *server) registerIdentityOf(path, noun, one string) {
	get := s.operation(http.MethodGet, path+"/identity", "get-"+noun+"-identity", identityTag, "Say why "+one+" is one thing")
	get.Description = "Its source records with their identifiers, the decisions that brought them together, and what is open."
	handle(s, get, func(ctx context.Context, in *CIInput) (*IdentityOutput, error) {
		asOf, err := s.asOf(ctx, in.Instant)
		if err != nil {
			return nil, err
		}
		return s.identity(ctx, in.ID, asOf)
	})

	merge := s.operation(http.MethodPost, path+"/merge", "merge-"+noun, identityTag, "Merge "+one+" with others")
	merge.Description = "They are one from now on, whatever the evidence says; the history of all stays and the decision can be undone. " +
		`E.g. {"with": ["<id>"], "reason": "the same laptop, installed anew"}.`
	handle(s, merge, s.merge)

	split := s.operation(http.MethodPost, path+"/split", "split-"+noun, identityTag, "Split "+one)
	split.Description = "The records named are another CI from now on, whatever the evidence says. " +
		`E.g. {"records": [17], "reason": "a cloned disk"}.`
	handle(s, split, func(ctx context.Context, in *SplitInput) (*IdentityOutput, error) {
		if err := checkText("body.reason", in.Body.Reason); err != nil {
			return nil, err
		}
		if err := s.Store.SplitCI(ctx, in.ID, in.Body.Records, actor(ctx, in.Body.Reason)); err != nil {
			return nil, err
		}
		return s.identity(ctx, in.ID, time.Time{})
	})
}

func (s *server) identity(ctx context.Context, id string, asOf time.Time) (*IdentityOutput, error) {
	identity, err := s.Store.Identity(ctx, id, asOf)
	if err != nil {
		return nil, err
	}
	identity.AsOf = echo(asOf)
	return &IdentityOutput{Body: identity}, nil
}

func (s *server) merge(ctx context.Context, in *MergeInput) (*IdentityOutput, error) {
	if err := checkText("body.reason", in.Body.Reason); err != nil {
		return nil, err
	}
	ids := []string{in.ID}
	for _, text := range in.Body.With {
		id, err := parseID("body.with", text)
		if err != nil {
			return nil, err
		}
		ids = append(ids, id)
	}
	ci, err := s.Store.MergeCIs(ctx, ids, actor(ctx, in.Body.Reason))
	if err != nil {
		return nil, err
	}
	return s.identity(ctx, ci, time.Time{})
}
