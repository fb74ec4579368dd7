package api

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestMergePatch(t *testing.T) {
	t.Parallel()
	text := func(s string) *string { return &s }
	for body, want := range map[string]struct{ class, name *string }{
		`{}`:                                {nil, nil},
		`{"class": null}`:                   {text(""), nil},
		`{"name": "a"}`:                     {nil, text("a")},
		`{"class": "laptop", "name": null}`: {text("laptop"), text("")},
	} {
		var in ChangeCIInput
		check(t, json.Unmarshal([]byte(body), &in.Body))
		if diff := cmp.Diff([]*string{want.class, want.name}, []*string{in.Body.Class.pointer(), in.Body.Name.pointer()}); diff != "" {
			t.Errorf("%s: class and name (-want +got):\n%s", body, diff)
		}
	}
}

func TestValuesKeepTheirDigits(t *testing.T) {
	t.Parallel()
	var got Values
	check(t, json.Unmarshal([]byte(`{"size_bytes": 9007199254740993, "cost": 249.90, "owner": "é", "approved": true, "model": null}`), &got))
	want := Values{"size_bytes": json.Number("9007199254740993"), "cost": json.Number("249.90"), "owner": "é", "approved": true, "model": nil}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("values (-want +got):\n%s", diff)
	}
}

func TestValuesAreChecked(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]string{
		`{}`:                "",
		`{"a": "b"}`:        "",
		`{"a": null}`:       "body.attributes.a: the value must be a string",
		`{"a": [1]}`:        "body.attributes.a: the value must be a string",
		`{"a": {"b": 1}}`:   "body.attributes.a: the value must be a string",
		`{"a": "x\u0000y"}`: "body.attributes.a: the text contains a NUL",
		`{"a\u0000": "x"}`:  "body.attributes: the name of an attribute contains a NUL",
	} {
		var values Values
		check(t, json.Unmarshal([]byte(body), &values))
		got := ""
		if err := values.check(false); err != nil {
			got = err.(*parameterError).Location + ": " + err.Error() //nolint:errorlint // it is one
		}
		if want == "" && got != "" || !strings.HasPrefix(got, want) {
			t.Errorf("%s: %q, want %q", body, got, want)
		}
	}
	if err := (Values{"a": nil}).check(true); err != nil {
		t.Errorf("null in a patch: %v", err)
	}
}
