package api

import (
	"cmp"
	"context"
	"net/http"

	"github.com/musterhq/muster/internal/inventory"
)

// modelStore holds what kinds of things there are.
type modelStore interface {
	Classes(ctx context.Context) ([]inventory.Class, error)
	CreateClass(ctx context.Context, c inventory.Class) error
	DeleteClass(ctx context.Context, name string) error
	// Attributes are those of a class and of the classes above it.
	Attributes(ctx context.Context, class string) ([]inventory.Attribute, error)
	CreateAttribute(ctx context.Context, a inventory.Attribute) error
	DeleteAttribute(ctx context.Context, class, name string) error
	RelationshipTypes(ctx context.Context) ([]inventory.RelationshipType, error)
	CreateRelationshipType(ctx context.Context, t inventory.RelationshipType) error
	DeleteRelationshipType(ctx context.Context, name string) error
}

// ModelListInput asks for a list of kinds of things. They are as they are now, whatever the instant.
type ModelListInput struct{ Paging }

// ClassPath names a class.
type ClassPath struct {
	Name string `path:"name" maxLength:"63" example:"computer" doc:"The class's name."`
}

// NewClassInput makes a class.
type NewClassInput struct {
	Body struct {
		Name        string `json:"name" pattern:"^[a-z][a-z0-9_]{0,62}$" patternDescription:"a small letter, then at most 62 small letters, digits and _" example:"projector"`
		Parent      string `json:"parent,omitempty" maxLength:"63" default:"ci" doc:"The class above it, whose attributes it has too."`
		Label       string `json:"label" minLength:"1" maxLength:"200" example:"Projector" doc:"What people read."`
		Description string `json:"description,omitempty" maxLength:"2000"`
	}
}

// ClassOutput answers with a class.
type ClassOutput struct{ Body inventory.Class }

const modelTag = "Model"

func (s *server) registerClasses() {
	list := s.operation(http.MethodGet, "/api/v1/classes", "list-classes", modelTag, "List the classes of CIs")
	list.Description = "Those that Muster brings and those that people made, by name."
	handleList(s, list, func(_ context.Context, in *ModelListInput) (listing[inventory.Class], error) {
		return whole(in.Paging, "classes", s.Store.Classes, func(c inventory.Class) string { return c.Name }), nil
	})

	create := s.operation(http.MethodPost, "/api/v1/classes", "create-class", modelTag, "Make a class")
	create.Description = `E.g. {"name": "projector", "parent": "peripheral", "label": "Projector"}.`
	create.DefaultStatus = http.StatusCreated
	handle(s, create, s.createClass)

	remove := s.operation(http.MethodDelete, "/api/v1/classes/{name}", "delete-class", modelTag, "Delete a class")
	remove.Description = "Only one that people made and that no CI has ever been of."
	handle(s, remove, func(ctx context.Context, in *ClassPath) (*struct{}, error) {
		return nil, s.Store.DeleteClass(ctx, in.Name)
	})
}

func (s *server) createClass(ctx context.Context, in *NewClassInput) (*ClassOutput, error) {
	if err := checkTexts("body.label", in.Body.Label, "body.description", in.Body.Description); err != nil {
		return nil, err
	}
	class := inventory.Class{
		Name: in.Body.Name, Parent: cmp.Or(in.Body.Parent, rootClass), Label: in.Body.Label, Description: in.Body.Description,
	}
	if err := s.Store.CreateClass(ctx, class); err != nil {
		return nil, err
	}
	return &ClassOutput{Body: class}, nil
}
