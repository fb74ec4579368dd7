package cmdb

import (
	"encoding/json"
	"maps"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/musterhq/muster/internal/inventory"
	"github.com/musterhq/muster/internal/store/db"
)

func TestCheckAttributes(t *testing.T) {
	t.Parallel()
	s := OpenStore(t)
	if err := s.CreateAttribute(t.Context(), inventory.Attribute{Class: "monitor", Name: "calibrated", Type: "timestamp"}); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name        string
		value, want any
		says        string
	}{
		{"owner", "Ada", "Ada", ""},
		{"owner", nil, nil, ""},
		{"owner", "", nil, "owner is empty"},
		{"owner", json.Number("7"), nil, "owner: 7 is not a valid text"},
		{"owner", "a\x00b", nil, "owner is not text"},
		{"owner", "\xff", nil, "owner is not text"},
		{"owner", strings.Repeat("a", 2001), nil, "at most 2000"},
		{"lifecycle_state", "in_use", "in_use", ""},
		{"lifecycle_state", "used", nil, "used is none of ordered, received"},
		{"width_mm", json.Number("597"), json.Number("597"), ""},
		{"width_mm", "597", json.Number("597"), ""},
		{"width_mm", 597.0, json.Number("597"), ""},
		{"width_mm", json.Number("5.97e2"), json.Number("597"), ""},
		{"width_mm", json.Number("597.5"), nil, "597.5 is not a valid integer"},
		{"width_mm", "9223372036854775808", nil, "is not a valid integer"},
		{"cost", json.Number("1234567890123456789.10"), json.Number("1234567890123456789.1"), ""},
		{"cost", json.Number("10.00"), json.Number("10"), ""},
		{"cost", "-0", json.Number("0"), ""},
		{"cost", "007", json.Number("7"), ""},
		{"cost", "1e3", json.Number("1000"), ""},
		{"cost", "1e999", nil, "is not a valid number"},
		{"cost", "4.1359030627651384e-25", nil, "is not a valid number"}, // more digits than are kept
		{"cost", "0x10", nil, "is not a valid number"},
		{"cost", "NaN", nil, "is not a valid number"},
		{"cost", true, nil, "is not a valid number"},
		{"approved_to_connect", true, true, ""},
		{"approved_to_connect", "False", false, ""},
		{"approved_to_connect", "yes", nil, "is not a valid boolean"},
		{"warranty_end", "2028-02-29", "2028-02-29", ""},
		{"warranty_end", "2027-02-29", nil, "is not a valid date"},
		{"warranty_end", "29.02.2028", nil, "is not a valid date"},
		{"calibrated", "2026-03-01T12:30:00.50+02:00", "2026-03-01T10:30:00.5Z", ""},
		{"calibrated", "2026-03-01", nil, "is not a valid timestamp"},
		{"uuid", "x", nil, "class monitor has no attribute uuid"},
	} {
		got, err := s.CheckAttributes(t.Context(), "monitor", map[string]any{c.name: c.value})
		if c.says != "" {
			wantRefusal(t, c.name, err, inventory.CodeInvalid, c.says)
			continue
		}
		if err != nil {
			t.Errorf("%s = %v: %v", c.name, c.value, err)
		}
		want := inventory.Attributes{}
		if c.want != nil {
			want[c.name] = c.want
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s = %v (-want +got):\n%s", c.name, c.value, diff)
		}
	}
	_, err := s.CheckAttributes(t.Context(), "car", nil)
	wantRefusal(t, "car", err, inventory.CodeInvalid, "no class car")
}

// TestConvertIsStable: a value that was brought into its form is in its form, also as JSON gives it
// back.
func TestConvertIsStable(t *testing.T) {
	t.Parallel()
	values := map[string]*rapid.Generator[any]{
		typeText:      rapid.String().AsAny(),
		typeInteger:   rapid.Int64().AsAny(),
		typeNumber:    rapid.OneOf(rapid.Float64().AsAny(), rapid.StringMatching(`-?[0-9]{1,25}(\.[0-9]{1,15})?([eE]-?[0-9])?`).AsAny()),
		typeBoolean:   rapid.Bool().AsAny(),
		typeDate:      rapid.StringMatching(`[12][0-9]{3}-[01][0-9]-[0-3][0-9]`).AsAny(),
		typeTimestamp: rapid.StringMatching(`[12][0-9]{3}-0[1-9]-[01][1-9]T[01][0-9]:00:00(\.[0-9]{1,9})?(Z|\+05:30)`).AsAny(),
	}
	rapid.Check(t, func(t *rapid.T) {
		attributeType := rapid.SampledFrom(attributeTypes[:6]).Draw(t, "type")
		attribute := inventory.Attribute{Name: "x", Type: attributeType}
		once, err := convert(attribute, values[attributeType].Draw(t, "value"))
		if err != nil {
			return // it is no such value
		}
		encoded, err := json.Marshal(map[string]any{"x": once})
		if err != nil {
			t.Fatal(err)
		}
		back, err := db.DecodeAttributes(encoded)
		if err != nil {
			t.Fatal(err)
		}
		twice, err := convert(attribute, back["x"])
		if err != nil {
			t.Fatal(err)
		}
		if !maps.Equal(map[string]any{"x": once}, map[string]any{"x": twice}) {
			t.Fatalf("%v becomes %v", once, twice)
		}
	})
}
