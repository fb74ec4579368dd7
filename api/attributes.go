package api

import (
	"context"
	"errors"
	"net/http"

	"github.com/musterhq/muster/internal/inventory"
)

// AttributesInput asks for the attributes of a class.
type AttributesInput struct {
	ClassPath
	Paging
}

// NewAttributeInput declares an attribute.
type NewAttributeInput struct {
	ClassPath

	Body struct {
		Name        string   `json:"name" pattern:"^[a-z][a-z0-9_]{0,62}$" patternDescription:"a small letter, then at most 62 small letters, digits and _" example:"lamp_hours"`
		Type        string   `json:"type" enum:"text,integer,number,boolean,date,timestamp,choice" doc:"The type of the values."`
		Choices     []string `json:"choices,omitempty" maxItems:"200" doc:"Of a choice, all that there are."`
		Label       string   `json:"label" minLength:"1" maxLength:"200" example:"Lamp hours" doc:"What people read."`
		Description string   `json:"description,omitempty" maxLength:"2000"`
	}
}

// AttributePath names an attribute of a class.
type AttributePath struct {
	ClassPath

	Attribute string `path:"attribute" maxLength:"63" example:"lamp_hours" doc:"The attribute's name."`
}

// AttributeOutput answers with an attribute.
type AttributeOutput struct{ Body inventory.Attribute }

func (s *server) registerAttributes() {
	const path = "/api/v1/classes/{name}/attributes"
	list := s.operation(http.MethodGet, path, "list-attributes", modelTag, "List the attributes of a class")
	list.Description = "Also those of the classes above it, by name."
	handleList(s, list, func(_ context.Context, in *AttributesInput) (listing[inventory.Attribute], error) {
		read := func(ctx context.Context) ([]inventory.Attribute, error) { return s.attributesOf(ctx, in.Name) }
		return whole(in.Paging, "attributes", read, func(a inventory.Attribute) string { return a.Name }), nil
	})

	create := s.operation(http.MethodPost, path, "create-attribute", modelTag, "Declare an attribute")
	create.Description = "The classes below the class have it, too. " +
		`E.g. {"name": "lamp_hours", "type": "integer", "label": "Lamp hours"}.`
	create.DefaultStatus = http.StatusCreated
	handle(s, create, s.createAttribute)

	remove := s.operation(http.MethodDelete, path+"/{attribute}", "delete-attribute", modelTag, "Delete an attribute")
	remove.Description = "Only one that people declared and that no CI has ever had a value of."
	handle(s, remove, func(ctx context.Context, in *AttributePath) (*struct{}, error) {
		return nil, s.Store.DeleteAttribute(ctx, in.Name, in.Attribute)
	})
}

// attributesOf is for a class that the path names: where there is none, the path leads to nothing.
func (s *server) attributesOf(ctx context.Context, class string) ([]inventory.Attribute, error) {
	attributes, err := s.Store.Attributes(ctx, class)
	if wrong, ok := errors.AsType[*inventory.Error](err); ok && wrong.Code == inventory.CodeInvalid {
		return nil, &inventory.Error{Code: inventory.CodeNotFound, Message: wrong.Message}
	}
	return attributes, err
}

func (s *server) createAttribute(ctx context.Context, in *NewAttributeInput) (*AttributeOutput, error) {
	body := &in.Body
	if err := checkTexts("body.label", body.Label, "body.description", body.Description); err != nil {
		return nil, err
	}
	for _, choice := range body.Choices {
		if err := checkText("body.choices", choice); err != nil {
			return nil, err
		}
	}
	attribute := inventory.Attribute{
		Class: in.Name, Name: body.Name, Type: body.Type, Choices: body.Choices, Label: body.Label,
		Description: body.Description,
	}
	if err := s.Store.CreateAttribute(ctx, attribute); err != nil {
		return nil, err
	}
	return &AttributeOutput{Body: attribute}, nil
}
