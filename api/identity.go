package api

import (
	"context"
	"encoding/json"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/musterhq/muster/internal/inventory"
)

// identityStore explains and changes which source records are one CI.
type identityStore interface {
	reviewStore

	Identity(ctx context.Context, id string, asOf time.Time) (inventory.Identity, error)
	MergeCIs(ctx context.Context, ids []string, actor inventory.Actor) (ci string, err error)
	SplitCI(ctx context.Context, id string, records []int64, actor inventory.Actor) error
	UndoDecision(ctx context.Context, id int64, actor inventory.Actor) error
	Simulate(ctx context.Context, rules []byte) (inventory.Simulation, error)
	IdentityRules() ([]byte, error)
}

// IdentityOutput answers with the records of a CI and the decisions about them.
type IdentityOutput struct{ Body inventory.Identity }

// MergeInput merges CIs.
type MergeInput struct {
	CIPath

	Body struct {
		With   []string `json:"with" minItems:"1" maxItems:"100" doc:"The ids of the other CIs."`
		Reason string   `json:"reason" minLength:"1" maxLength:"500" doc:"Why you make the change. It is kept in the history."`
	}
}

// SplitInput splits records off a CI.
type SplitInput struct {
	CIPath

	Body struct {
		Records []int64 `json:"records" minItems:"1" maxItems:"1000" doc:"The ids of the source records to split off, see the CI's identity."`
		Reason  string  `json:"reason" minLength:"1" maxLength:"500" doc:"Why you make the change. It is kept in the history."`
	}
}

// ReasonBody is the body of a change that needs only a reason.
type ReasonBody struct {
	Body struct {
		Reason string `json:"reason" minLength:"1" maxLength:"500" doc:"Why you make the change. It is kept in the history."`
	}
}

// UndoInput undoes a decision.
type UndoInput struct {
	ID int64 `path:"id" minimum:"1" doc:"The decision's id."`
	ReasonBody
}

// RuleSet is a set of identification rules as JSON.
type RuleSet json.RawMessage

// UnmarshalJSON copies the rules unchanged.
func (r *RuleSet) UnmarshalJSON(b []byte) error {
	*r = append((*r)[:0], b...)
	return nil
}

// MarshalJSON returns the rules unchanged.
func (r RuleSet) MarshalJSON() ([]byte, error) { return r, nil }

// Schema describes any object; package identify checks the rules.
func (RuleSet) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{Type: huma.TypeObject, AdditionalProperties: true}
}

// RulesOutput answers with the rules of identification.
type RulesOutput struct{ Body RuleSet }

// SimulateInput asks for a simulation of other rules.
type SimulateInput struct{ Body RuleSet }

// SimulateOutput answers with what the rules would change.
type SimulateOutput struct{ Body inventory.Simulation }

const identityTag = "Identity"

func (s *server) registerIdentity() {
	s.registerIdentityOf("/api/v1/cis/{id}", "ci", "a CI")
	s.registerIdentityOf("/api/v1/devices/{id}", "device", "a device")

	undo := s.operation(
		http.MethodPost, "/api/v1/identity/decisions/{id}/undo", "undo-decision", identityTag, "Undo a decision",
	)
	undo.Description = "Records that it linked are separate again, and records that it separated can be linked " +
		"again. " +
		`E.g. {"reason": "two machines of one batch"}.`
	handle(s, undo, func(ctx context.Context, in *UndoInput) (*struct{}, error) {
		if err := checkText("body.reason", in.Body.Reason); err != nil {
			return nil, err
		}
		return nil, s.Store.UndoDecision(ctx, in.ID, actor(ctx, in.Body.Reason))
	})

	rules := s.operation(
		http.MethodGet, "/api/v1/identity/rules", "get-rules", identityTag, "Get the identification rules",
	)
	rules.Description = "The thresholds in bits, the weights of identifiers that agree or disagree, and the " +
		"rejected values. " +
		"A decision names its rule: R0 a constraint decided; R1 the record is known; R2 an identifier is unique " +
		"to one thing; " +
		"R3 enough evidence for a link and none against it; R4 more evidence for it than against it, in several " +
		"families; " +
		"R5 separate, because both were observed at once or differ too much; R6 a review is open; " +
		"R7 the record moved with its installation; R8 the record is new."
	handle(s, rules, func(context.Context, *struct{}) (*RulesOutput, error) {
		document, err := s.Store.IdentityRules()
		return &RulesOutput{Body: document}, err
	})

	simulate := s.operation(
		http.MethodPost, "/api/v1/identity/simulate", "simulate-rules", identityTag,
		"Simulate other identification rules",
	)
	simulate.Description = "The body is a merge patch of the rules in force, see /api/v1/identity/rules, with a " +
		"new version. " +
		"The answer lists what the new rules would merge and split. Nothing is changed. " +
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

// maxRules bounds the size of a rule set, in bytes.
const maxRules = 1 << 20

// registerIdentityOf registers the identity operations of CIs, or of devices, which are CIs too.
func (s *server) registerIdentityOf(path, noun, one string) {
	get := s.operation(
		http.MethodGet, path+"/identity", "get-"+noun+"-identity", identityTag, "Explain the identity of "+one,
	)
	get.Description = "Its source records with their identifiers, the decisions that linked them, and the open " +
		"reviews and findings."
	handle(s, get, func(ctx context.Context, in *CIInput) (*IdentityOutput, error) {
		asOf, err := s.asOf(ctx, in.Instant)
		if err != nil {
			return nil, err
		}
		return s.identity(ctx, in.ID, asOf)
	})

	merge := s.operation(http.MethodPost, path+"/merge", "merge-"+noun, identityTag, "Merge "+one+" with others")
	merge.Description = "The CIs are one from now on, regardless of the evidence. The history of each stays. The " +
		"decision can be undone. " +
		`E.g. {"with": ["<id>"], "reason": "the same laptop, installed anew"}.`
	handle(s, merge, s.merge)

	split := s.operation(http.MethodPost, path+"/split", "split-"+noun, identityTag, "Split "+one)
	split.Description = "The records are another CI from now on, regardless of the evidence. " +
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
