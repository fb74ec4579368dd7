package api

import (
	"context"
	"net/http"

	"github.com/musterhq/muster/internal/inventory"
)

type relationshipStore interface {
	ListRelationships(
		ctx context.Context, q inventory.RelationshipQuery, visit inventory.Visit[inventory.Relationship],
	) error
	CreateRelationship(
		ctx context.Context, r inventory.NewRelationship, actor inventory.Actor,
	) (inventory.Relationship, error)
	EndRelationship(ctx context.Context, id int64, actor inventory.Actor) (inventory.Relationship, error)
	Graph(ctx context.Context, q inventory.GraphQuery) (inventory.Graph, error)
}

// RelationshipParams select relationships.
type RelationshipParams struct {
	Type string `query:"type" maxLength:"63" example:"contains" doc:"Only relationships of this type."`
	Past bool   `query:"past" doc:"Include relationships that have ended."`
}

// RelationshipsInput asks for a list of relationships.
type RelationshipsInput struct {
	ListParams
	RelationshipParams
}

// CIRelationshipsInput asks for the relationships of a CI.
type CIRelationshipsInput struct {
	CIPath
	ListParams
	RelationshipParams
}

// NewRelationshipInput declares a relationship.
type NewRelationshipInput struct {
	Body struct {
		Type       string `json:"type" minLength:"1" maxLength:"63" example:"depends_on" doc:"The type, see /api/v1/relationship-types."`
		From       string `json:"from" format:"uuid" doc:"The id of the first CI."`
		To         string `json:"to" format:"uuid" doc:"The id of the second CI."`
		Attributes Values `json:"attributes,omitempty" doc:"Values that describe the relationship itself."`
		Reason     string `json:"reason,omitempty" maxLength:"500" doc:"Why you make the change. It is kept in the history."`
	}
}

// EndRelationshipInput ends a relationship.
type EndRelationshipInput struct {
	ID int64 `path:"id" minimum:"1" doc:"The relationship's id."`
	ReasonParam
}

// RelationshipOutput answers with a relationship.
type RelationshipOutput struct{ Body inventory.Relationship }

const relationshipTag = "Relationships"

func (s *server) registerRelationships() {
	all := s.operation(
		http.MethodGet, "/api/v1/relationships", "list-relationships", relationshipTag, "List relationships",
	)
	all.Description = "The observed and the declared ones."
	handleList(s, all, func(_ context.Context, in *RelationshipsInput) (listing[inventory.Relationship], error) {
		return s.relationships(&in.ListParams, "", in.RelationshipParams), nil
	})

	ofCI := s.operation(http.MethodGet, "/api/v1/cis/{id}/relationships", "list-ci-relationships", relationshipTag,
		"List the relationships of a CI")
	ofCI.Description = "The relationships that start from or lead to the CI."
	handleList(s, ofCI, func(_ context.Context, in *CIRelationshipsInput) (listing[inventory.Relationship], error) {
		return s.relationships(&in.ListParams, in.ID, in.RelationshipParams), nil
	})

	create := s.operation(
		http.MethodPost, "/api/v1/relationships", "create-relationship", relationshipTag, "Declare a relationship",
	)
	create.Description = `E.g. {"type": "located_in", "from": "<id of a computer>", "to": "<id of a location>"}.`
	create.DefaultStatus = http.StatusCreated
	handle(s, create, s.createRelationship)

	end := s.operation(
		http.MethodDelete, "/api/v1/relationships/{id}", "end-relationship", relationshipTag, "End a relationship",
	)
	end.Description = "The relationship stays in the history. An observed relationship ends by itself when no " +
		"source observes it any more."
	handle(s, end, func(ctx context.Context, in *EndRelationshipInput) (*RelationshipOutput, error) {
		ended, err := s.Store.EndRelationship(ctx, in.ID, actor(ctx, in.Reason))
		if err != nil {
			return nil, err
		}
		return &RelationshipOutput{Body: ended}, nil
	})
}

func (s *server) relationships(
	params *ListParams, ci string, which RelationshipParams,
) listing[inventory.Relationship] {
	query := inventory.RelationshipQuery{CI: ci, Type: which.Type, Past: which.Past}
	return listing[inventory.Relationship]{
		params: params, name: "relationships", table: tableOf[inventory.Relationship](),
		read: func(ctx context.Context, page inventory.Page, visit inventory.Visit[inventory.Relationship]) error {
			query.Page = page
			return s.Store.ListRelationships(ctx, query, visit)
		},
	}
}

func (s *server) createRelationship(ctx context.Context, in *NewRelationshipInput) (*RelationshipOutput, error) {
	if err := checkTexts("body.type", in.Body.Type, "body.reason", in.Body.Reason); err != nil {
		return nil, err
	}
	if err := in.Body.Attributes.check(false); err != nil {
		return nil, err
	}
	from, err := parseID("body.from", in.Body.From)
	if err != nil {
		return nil, err
	}
	to, err := parseID("body.to", in.Body.To)
	if err != nil {
		return nil, err
	}
	declared := inventory.NewRelationship{Type: in.Body.Type, From: from, To: to, Attributes: in.Body.Attributes}
	made, err := s.Store.CreateRelationship(ctx, declared, actor(ctx, in.Body.Reason))
	if err != nil {
		return nil, err
	}
	return &RelationshipOutput{Body: made}, nil
}
