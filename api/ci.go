package api

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/musterhq/muster/internal/inventory"
)

// CIPath names a CI.
type CIPath struct {
	ID string `path:"id" format:"uuid" doc:"The CI's id. The id of a CI that was merged into another one leads to the other one."`
}

// Resolve makes the id canonical. huma calls it after it has checked that the id is a UUID.
func (p *CIPath) Resolve(huma.Context) []error {
	p.ID = canonicalID(p.ID)
	return nil
}

// CIInput asks for a CI.
type CIInput struct {
	CIPath
	Instant
}

// CIOutput answers with a CI.
type CIOutput struct {
	//nolint:tagliatelle // RFC 9110 calls it so
	ETag string `header:"ETag" doc:"The state of the CI, for If-Match. A new observation without changes does not change it. Absent from answers about the past."`
	Body inventory.CIDetails
}

// NewCIInput creates a CI.
type NewCIInput struct {
	Body struct {
		Class      string `json:"class" minLength:"1" maxLength:"63" example:"monitor" doc:"The class, see /api/v1/classes."`
		Name       string `json:"name" minLength:"1" maxLength:"500" example:"Reception"`
		Attributes Values `json:"attributes,omitempty" doc:"Values by attribute name, see /api/v1/classes/{name}/attributes."`
	}
}

// ChangeCIInput changes what people declare about a CI.
type ChangeCIInput struct {
	CIPath
	IfMatchParam

	Body struct {
		Class      Text   `json:"class,omitzero" minLength:"1" maxLength:"63" doc:"null: the value of the other sources."`
		Name       Text   `json:"name,omitzero" minLength:"1" maxLength:"500" doc:"null: the value of the other sources."`
		Attributes Values `json:"attributes,omitempty" doc:"Values by attribute name. null withdraws a declared value. Absent attributes stay unchanged."`
		Reason     string `json:"reason,omitempty" maxLength:"500" doc:"Why you make the change. It is kept in the history."`
	}
}

// ReasonParam is the reason for a change whose request has no body.
type ReasonParam struct {
	Reason string `query:"reason" maxLength:"500" doc:"Why you make the change. It is kept in the history."`
}

// RetireCIInput retires a CI.
type RetireCIInput struct {
	CIPath
	IfMatchParam
	ReasonParam
}

// RestoreCIInput restores a retired CI.
type RestoreCIInput struct {
	CIPath
	ReasonBody
}

func (s *server) registerCI() {
	get := s.operation(http.MethodGet, "/api/v1/cis/{id}", "get-ci", ciTag, "Get a CI")
	get.Description = "With its source records, its locks, and the source of each effective value and the values it won over."
	handle(s, get, func(ctx context.Context, in *CIInput) (*CIOutput, error) {
		asOf, err := s.asOf(ctx, in.Instant)
		if err != nil {
			return nil, err
		}
		return s.ci(ctx, in.ID, asOf)
	})

	create := s.operation(http.MethodPost, "/api/v1/cis", "create-ci", ciTag, "Create a CI")
	create.Description = "For CIs that no source observes, such as a leased printer, a spare monitor or a service. " +
		`E.g. {"class": "monitor", "name": "Reception", "attributes": {"serial_number": "CN-0123", "cost": 249.90}}.`
	create.DefaultStatus = http.StatusCreated
	handle(s, create, s.createCI)

	change := s.operation(http.MethodPatch, "/api/v1/cis/{id}", "change-ci", ciTag, "Change a CI")
	change.Description = "A merge patch (RFC 7396) of what people declare about the CI, for the state that If-Match names. " +
		"If other sources have another value, source precedence decides; a lock always wins. " +
		`E.g. {"attributes": {"owner": "Facilities", "asset_tag": null}}.`
	change.RequestBody = &huma.RequestBody{Content: map[string]*huma.MediaType{}}
	handle(s, change, s.changeCI)
	change.RequestBody.Content["application/merge-patch+json"] = change.RequestBody.Content["application/json"]

	retire := s.operation(http.MethodDelete, "/api/v1/cis/{id}", "retire-ci", ciTag, "Retire a CI")
	retire.Description = "Lists no longer have the CI, unless with retired=true or an earlier as_of. Its history stays. " +
		"If a source observes it again, it is restored, with a finding. An import does not restore a retired CI."
	handle(s, retire, func(ctx context.Context, in *RetireCIInput) (*struct{}, error) {
		editor, err := in.editor(ctx, in.Reason)
		if err != nil {
			return nil, err
		}
		return nil, s.Store.RetireCI(ctx, in.ID, editor)
	})
}

func (s *server) registerRestore() {
	restore := s.operation(http.MethodPost, "/api/v1/cis/{id}/restore", "restore-ci", ciTag, "Restore a retired CI")
	restore.Description = `The CI gets the values that its sources have now. E.g. {"reason": "found in the basement"}.`
	handle(s, restore, func(ctx context.Context, in *RestoreCIInput) (*CIOutput, error) {
		if err := checkText("body.reason", in.Body.Reason); err != nil {
			return nil, err
		}
		if err := s.Store.RestoreCI(ctx, in.ID, actor(ctx, in.Body.Reason)); err != nil {
			return nil, err
		}
		return s.ci(ctx, in.ID, time.Time{})
	})
}

func (s *server) ci(ctx context.Context, id string, asOf time.Time) (*CIOutput, error) {
	details, err := s.Store.CI(ctx, id, asOf)
	if err != nil {
		return nil, err
	}
	details.AsOf = echo(asOf)
	now := asOf
	if now.IsZero() {
		now = s.Now()
	}
	details.ObservationState = s.ObservationState(details, now)
	output := &CIOutput{Body: details}
	if asOf.IsZero() {
		output.ETag = entityTag(details.ChangedAt)
	}
	return output, nil
}

func (s *server) createCI(ctx context.Context, in *NewCIInput) (*CIOutput, error) {
	if err := errors.Join(checkText("body.class", in.Body.Class), checkName("body.name", in.Body.Name)); err != nil {
		return nil, err
	}
	if err := in.Body.Attributes.check(false); err != nil {
		return nil, err
	}
	ci := inventory.NewCI{
		Class:      in.Body.Class,
		Name:       in.Body.Name,
		Attributes: inventory.Attributes(in.Body.Attributes),
	}
	id, err := s.Store.CreateCI(ctx, ci, actor(ctx, ""))
	if err != nil {
		return nil, err
	}
	return s.ci(ctx, id, time.Time{})
}

func (s *server) changeCI(ctx context.Context, in *ChangeCIInput) (*CIOutput, error) {
	body := &in.Body
	if err := checkTexts("body.class", body.Class.text, "body.name", body.Name.text, "body.reason", body.Reason); err != nil {
		return nil, err
	}
	if name := body.Name.text; name != "" {
		if err := checkName("body.name", name); err != nil {
			return nil, err
		}
	}
	if err := body.Attributes.check(true); err != nil {
		return nil, err
	}
	declaration := inventory.Declaration{
		Class: body.Class.pointer(), Name: body.Name.pointer(), Attributes: body.Attributes, Reason: body.Reason,
	}
	editor, err := in.editor(ctx, body.Reason)
	if err != nil {
		return nil, err
	}
	if err := s.Store.DeclareCI(ctx, in.ID, declaration, editor); err != nil {
		return nil, err
	}
	return s.ci(ctx, in.ID, time.Time{})
}
