package reconcile_test

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/musterhq/muster/internal/inventory"
	"github.com/musterhq/muster/internal/reconcile"
)

func TestObservePrimaryUser(t *testing.T) {
	t.Parallel()
	person := func(key string, native []string, attributes inventory.Attributes) []inventory.Component {
		return []inventory.Component{{
			Class: "person", Key: key, Attributes: attributes, Identifiers: inventory.RawIdentifiers{Native: native},
			Relationship: "used_by", Inverse: true,
		}}
	}
	for _, c := range []struct {
		name, hostname string
		users          []string
		want           []inventory.Component
	}{
		{"nobody", "pc7", nil, nil},
		{"nobody is primary", "pc7", []string{`{"name":"ada"}`, `{"name":"bob","is_primary":false}`}, nil},
		{"of a directory", "pc7", []string{`{"name":"bob"}`, `{"name":"Ada","domain":"CORP","full_name":"Ada Lovelace","is_primary":true}`},
			person(`corp\ada`, []string{`account:corp\ada`}, inventory.Attributes{"name": "Ada Lovelace", "login": "Ada", "domain": "CORP"})},
		{"of the machine", "pc7", []string{`{"name":"ada","is_primary":true}`}, person("ada", nil, inventory.Attributes{"name": "ada", "login": "ada"})},
		{"of the machine, by its name", "Pc7.example.com", []string{`{"name":"ada","domain":"PC7","is_primary":true}`},
			person(`pc7\ada`, nil, inventory.Attributes{"name": "ada", "login": "ada", "domain": "PC7"})},
		{"of the machine, by its NetBIOS name", "accounting-floor-2", []string{`{"name":"ada","domain":"ACCOUNTING-FLOO","is_primary":true}`},
			person(`accounting-floo\ada`, nil, inventory.Attributes{"name": "ada", "login": "ada", "domain": "ACCOUNTING-FLOO"})},
		{"of a workgroup", "pc7", []string{`{"name":"ada","domain":"WorkGroup","is_primary":true}`},
			person(`workgroup\ada`, nil, inventory.Attributes{"name": "ada", "login": "ada", "domain": "WorkGroup"})},
		{"of some tenant", "pc7", []string{`{"name":"AdaLovelace","domain":"AzureAD","is_primary":true}`},
			person(`azuread\adalovelace`, nil, inventory.Attributes{"name": "AdaLovelace", "login": "AdaLovelace", "domain": "AzureAD"})},
		{"the name of the machine is not known", "", []string{`{"name":"ada","domain":"lab.example.com","is_primary":true}`},
			person(`lab.example.com\ada`, []string{`account:lab.example.com\ada`}, inventory.Attributes{"name": "ada", "login": "ada", "domain": "lab.example.com"})},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			got := reconcile.Observe(map[string][]json.RawMessage{
				"os": {facts(t, map[string]any{"hostname": c.hostname})}, "user": items(c.users...),
			}, honest).Components
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("parts (-want +got):\n%s", diff)
			}
		})
	}
}
