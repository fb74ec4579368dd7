package api

import (
	"maps"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/musterhq/muster/internal/inventory"
)

// TestDescriptions checks that every field of every schema has a description, and that every entry of
// descriptions and choices belongs to a field.
func TestDescriptions(t *testing.T) {
	t.Parallel()
	registry := newServer(Options{}, http.NewServeMux()).huma.OpenAPI().Components.Schemas
	ofTable := slices.Collect(maps.Values(descriptions))
	for name, schema := range registry.Map() {
		for field, property := range schema.Properties {
			if property.Description == "" {
				t.Errorf("%s.%s has no description", name, field)
			}
			if slices.Contains(ofTable, property.Description) {
				property.Description = "" // so that describeSchemas has to find the entry again
			}
		}
	}
	used := describeSchemas(registry)
	for key := range descriptions {
		if !used[key] {
			t.Errorf("descriptions[%q] describes no field", key)
		}
	}
	for key := range choices {
		if !used[key] {
			t.Errorf("choices[%q] describes no field", key)
		}
	}
}

// TestDomainTypesAreNotTagged checks that the types of package inventory know nothing of the API.
func TestDomainTypesAreNotTagged(t *testing.T) {
	t.Parallel()
	registry := newServer(Options{}, http.NewServeMux()).huma.OpenAPI().Components.Schemas
	home := reflect.TypeFor[inventory.CI]().PkgPath()
	for name := range registry.Map() {
		described := registry.TypeFromRef("#/components/schemas/" + name)
		if described == nil || described.PkgPath() != home || described.Kind() != reflect.Struct {
			continue
		}
		for field := range described.Fields() {
			tag := string(field.Tag)
			if strings.Count(tag, `:"`) > 1 || tag != "" && !strings.HasPrefix(tag, "json:") {
				t.Errorf("%s.%s has the tag %s; only json is allowed", described, field.Name, tag)
			}
		}
	}
}
