package api

import (
	"cmp"
	"context"
	"net/http"

	"github.com/musterhq/muster/internal/inventory"
)

// modelStore has the classes, attributes and relationship types.
type modelStore interface {
	Classes(ctx context.Context) ([]inventory.Class, error)
	CreateClass(ctx context.Context, c inventory.Class) error
	DeleteClass(ctx context.Context, name string) error
	// Attributes returns those of a class and of the classes above it.
	Attributes(ctx context.Context, class string) ([]inventory.Attribute, error)
	CreateAttribute(ctx context.Context, a inventory.Attribute) error
	DeleteAttribute(ctx context.Context, class, name string) error
	RelationshipTypes(ctx context.Context) ([]inventory.RelationshipType, error)
	CreateRelationshipType(ctx context.Context, t inventory.RelationshipType) error
	DeleteRelationshipType(ctx context.Context, name string) error
}

// ModelListInput asks for a list of classes, attributes or relationship types, which have no
// history.
type ModelListInput struct{ Paging }

// ClassPath names a class.
type ClassPath struct {
	Name string `path:"name" maxLength:"63" example:"computer" doc:"The class's name."`
}

// NewClassInput creates a class.
type NewClassInput struct {
	Body struct {
		Name        string `json:"name" pattern:"^[a-z][a-z0-9_]{0,62}$" patternDescription:"a lower-case letter, then at most 62 lower-case letters, digits and _" example:"projector"`
		Parent      string `json:"parent,omitempty" maxLength:"63" default:"ci" doc:"The class above it. The new class has its attributes."`
		Label       string `json:"label" minLength:"1" maxLength:"200" example:"Projector" doc:"The name that people read."`
		Description string `json:"description,omitempty" maxLength:"2000"`
	}
}

// ClassOutput answers with a class.
type ClassOutput struct{ Body inventory.Class }

const modelTag = "Model"

func (s *server) registerClasses() {
	list := s.operation(http.MethodGet, "/api/v1/classes", "list-classes", modelTag, "List the classes of CIs")
	list.Description = "The built-in and the custom ones, by name."
	handleList(s, list, func(_ context.Context, in *ModelListInput) (listing[inventory.Class], error) {
		return whole(in.Paging, "classes", s.Store.Classes, func(c inventory.Class) string { return c.Name }), nil
	})

	create := s.operation(http.MethodPost, "/api/v1/classes", "create-class", modelTag, "Create a class")
	create.Description = `E.g. {"name": "projector", "parent": "peripheral", "label": "Projector"}.`
	create.DefaultStatus = http.StatusCreated
	handle(s, create, s.createClass)

	remove := s.operation(http.MethodDelete, "/api/v1/classes/{name}", "delete-class", modelTag, "Delete a class")
	remove.Description = "Only a custom class that no CI has ever had can be deleted."
	handle(s, remove, func(ctx context.Context, in *ClassPath) (*struct{}, error) {
		return nil, s.Store.DeleteClass(ctx, in.Name)
	})
}

func (s *server) createClass(ctx context.Context, in *NewClassInput) (*ClassOutput, error) {
	if err := checkTexts("body.label", in.Body.Label, "body.description", in.Body.Description); err != nil {
		return nil, err
	}
	class := inventory.Class{
		Name: in.Body.Name, Parent: cmp.Or(in.Body.Parent, inventory.RootClass), Label: in.Body.Label,
		Description: in.Body.Description,
	}
	if err := s.Store.CreateClass(ctx, class); err != nil {
		return nil, err
	}
	return &ClassOutput{Body: class}, nil
}
