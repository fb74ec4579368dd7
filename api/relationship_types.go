package api

import (
	"cmp"
	"context"
	"net/http"

	"github.com/musterhq/muster/internal/inventory"
)

// NewRelationshipTypeInput creates a relationship type.
type NewRelationshipTypeInput struct {
	Body struct {
		Name        string `json:"name" pattern:"^[a-z][a-z0-9_]{0,62}$" patternDescription:"a lower-case letter, then at most 62 lower-case letters, digits and _" example:"backs_up"`
		Verb        string `json:"verb" minLength:"1" maxLength:"200" example:"backs up" doc:"The verb from the first CI to the second."`
		InverseVerb string `json:"inverse_verb" minLength:"1" maxLength:"200" example:"is backed up by" doc:"The verb from the second CI to the first."`
		FromClass   string `json:"from_class,omitempty" maxLength:"63" default:"ci" doc:"A relationship starts from a CI of this class or of a class below it."`
		ToClass     string `json:"to_class,omitempty" maxLength:"63" default:"ci" doc:"A relationship leads to a CI of this class or of a class below it."`
		Impact      string `json:"impact,omitempty" enum:"none,from_suffers,to_suffers" default:"none" doc:"Which end is affected when the other one fails."`
	}
}

// RelationshipTypePath names a relationship type.
type RelationshipTypePath struct {
	Name string `path:"name" maxLength:"63" example:"depends_on" doc:"The type's name."`
}

// RelationshipTypeOutput answers with a relationship type.
type RelationshipTypeOutput struct{ Body inventory.RelationshipType }

func (s *server) registerRelationshipTypes() {
	const path = "/api/v1/relationship-types"
	list := s.operation(http.MethodGet, path, "list-relationship-types", modelTag, "List relationship types")
	list.Description = "The built-in and the custom ones, by name."
	handleList(s, list, func(_ context.Context, in *ModelListInput) (listing[inventory.RelationshipType], error) {
		name := func(t inventory.RelationshipType) string { return t.Name }
		return whole(in.Paging, "relationship-types", s.Store.RelationshipTypes, name), nil
	})

	create := s.operation(http.MethodPost, path, "create-relationship-type", modelTag, "Create a relationship type")
	create.Description = `E.g. {"name": "backs_up", "verb": "backs up", "inverse_verb": "is backed up by", ` +
		`"from_class": "server", "to_class": "computer", "impact": "to_suffers"}.`
	create.DefaultStatus = http.StatusCreated
	handle(s, create, s.createRelationshipType)

	remove := s.operation(
		http.MethodDelete, path+"/{name}", "delete-relationship-type", modelTag, "Delete a relationship type",
	)
	remove.Description = "Only a custom type that no relationship has ever had can be deleted."
	handle(s, remove, func(ctx context.Context, in *RelationshipTypePath) (*struct{}, error) {
		return nil, s.Store.DeleteRelationshipType(ctx, in.Name)
	})
}

func (s *server) createRelationshipType(
	ctx context.Context, in *NewRelationshipTypeInput,
) (*RelationshipTypeOutput, error) {
	body := &in.Body
	if err := checkTexts("body.verb", body.Verb, "body.inverse_verb", body.InverseVerb); err != nil {
		return nil, err
	}
	made := inventory.RelationshipType{
		Name: body.Name, Verb: body.Verb, InverseVerb: body.InverseVerb,
		FromClass: cmp.Or(body.FromClass, inventory.RootClass),
		ToClass:   cmp.Or(body.ToClass, inventory.RootClass), Impact: cmp.Or(body.Impact, "none"),
	}
	if err := s.Store.CreateRelationshipType(ctx, made); err != nil {
		return nil, err
	}
	return &RelationshipTypeOutput{Body: made}, nil
}
