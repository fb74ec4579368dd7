package importer_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/musterhq/muster/internal/importer"
	"github.com/musterhq/muster/internal/inventory"
)

// TestCSVRelationships: columns name other CIs by an attribute, and need no attribute of their own.
func TestCSVRelationships(t *testing.T) {
	t.Parallel()
	m := mapping(t, `{"relationships":{"Room":{"type":"located_in","class":"location"},
		"Rack":{"type":"contains","class":"ci","by":"asset_tag","inverse":true}}}`)
	docs := read(t, "csv", []byte("Serial,Room,Rack\nS1,B 12,R-1\nS2,n/a,\n"), importer.Options{Mapping: m})
	want := []inventory.Component{
		{
			Class: "location", Key: "B 12", By: "name", Attributes: inventory.Attributes{"name": "B 12"},
			Relationship: "located_in", Inverse: true,
		},
		{
			Class: "ci", Key: "R-1", By: "asset_tag", Attributes: inventory.Attributes{"asset_tag": "R-1"},
			Relationship: "contains",
		},
	}
	if diff := cmp.Diff(want, docs[0].Observed.Components); diff != "" || len(docs[0].FileWarnings) != 0 {
		t.Errorf("notes %v, parts (-want +got):\n%s", docs[0].FileWarnings, diff)
	}
	if parts := docs[1].Observed.Components; parts != nil {
		t.Errorf("an empty cell has the relationships %v", parts)
	}
	_, err := importer.Read("csv", strings.NewReader("Serial\nS1\n"), importer.Options{Mapping: m})
	if err == nil || !strings.Contains(err.Error(), "which does not exist") {
		t.Errorf("missing columns: %v", err)
	}
}
