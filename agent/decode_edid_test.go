package main

import (
	"bytes"
	"path/filepath"
	"strings"
	"testing"
)

// TestDecodeEDID compares every captured EDID with the reference, edid-decode, without exceptions.
// If a name is spread over two descriptors (a CRT of LG), both take the first, and both append "i"
// to interlaced resolutions.
func TestDecodeEDID(t *testing.T) {
	t.Parallel()
	lists, err := filepath.Glob(filepath.Join(corpus(t, "edid"), "*", "expected.json"))
	if err != nil || len(lists) == 0 {
		t.Fatalf("no displays: %v", err)
	}
	for _, list := range lists {
		var displays []map[string]any
		readExpected(t, list, &displays)
		t.Logf("%s: %d displays", filepath.Base(filepath.Dir(list)), len(displays))
		for _, want := range displays {
			file := filepath.Join(filepath.Dir(list), field(want, "file"))
			var out bytes.Buffer
			if err := (decodeEDID{capture{File: file, Output: "json"}}).Run(t.Context(), &out); err != nil {
				t.Errorf("%s: %v", file, err)
				continue
			}
			compareDisplay(t, file, want, parse(t, out.Bytes()))
		}
	}
}

func compareDisplay(t *testing.T, file string, want map[string]any, doc jsonDocument) {
	t.Helper()
	if s := doc.Sections["display"]; s.Status != "ok" || len(s.Items) != 1 {
		t.Fatalf("%s: %d items, %s: %s", file, len(s.Items), s.Status, s.Message)
	}
	got := doc.items("display")[0]
	for reference, name := range map[string]string{
		"manufacturer_pnp": "manufacturer_pnp", "product_code": "product_code", "serial_number": "serial_number",
		"display_name": "model", "display_serial": "serial_text", "week": "week", "year": "year",
		"first_dtd": "native_resolution",
	} {
		if w, g := strings.TrimSpace(field(want, reference)), field(got, name); w != g {
			t.Errorf("%s: %s = %q, want %q", file, name, g, w)
		}
	}
	size, _ := want["size_cm"].([]any)
	for i, name := range []string{"width_mm", "height_mm"} {
		mm, known := got[name].(float64)
		if known != (size != nil) {
			t.Errorf("%s: %s = %v, want %v cm", file, name, got[name], size)
		}
		if size == nil {
			continue
		}
		if cm, _ := size[i].(float64); known && (mm <= 10*cm-10 || mm >= 10*cm+10) {
			t.Errorf("%s: %s = %v, want about %v cm", file, name, mm, cm)
		}
	}
}
