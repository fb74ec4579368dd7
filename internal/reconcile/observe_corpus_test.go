package reconcile_test

import (
	"encoding/json"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/musterhq/muster/internal/reconcile"
)

// table is the content of a captured SMBIOS table as the reference decoder prints it.
type table struct {
	System     map[string]any
	Baseboards []map[string]any
	Chassis    []map[string]any
}

func (m table) facts(t *testing.T) json.RawMessage {
	t.Helper()
	board, chassis := map[string]any{}, map[string]any{}
	if len(m.Baseboards) > 0 {
		board = m.Baseboards[0]
	}
	if len(m.Chassis) > 0 {
		chassis = m.Chassis[0]
	}
	return facts(t, map[string]any{
		"manufacturer": m.System["manufacturer"], "product_name": m.System["product"], "serial_number": m.System["serial"],
		"uuid": m.System["uuid"], "board_manufacturer": board["manufacturer"], "board_serial": board["serial"],
		"chassis_manufacturer": chassis["manufacturer"], "chassis_serial": chassis["serial"], "chassis_type": chassis["type"],
		"asset_tag": chassis["asset_tag"],
	})
}

// refused are values that other tools reject, collected independently of the function honest.
func refused(t *testing.T) map[string]bool {
	t.Helper()
	values := map[string]bool{}
	for _, file := range corpus(t, "blacklists", "[gfo]*.json") {
		if strings.HasPrefix(filepath.Base(file), "observed") {
			continue
		}
		var lists map[string]any
		readJSON(t, file, &lists)
		for _, kind := range []string{"serial", "uuid", "model", "manufacturer"} {
			list, _ := lists[kind].([]any)
			for _, value := range list {
				values[strings.ToLower(value.(string))] = true
			}
		}
	}
	for _, value := range []string{"not specified", "no asset tag", "no asset information", "<bad index>", "not settable", "default string",
		"16843009", "1234567890123", "0000000000001"} {
		values[value] = true
	}
	return values
}

func TestObserveSMBIOS(t *testing.T) {
	t.Parallel()
	bad, distinct := refused(t), map[string]map[string]bool{}
	classes := map[string]int{}
	for _, file := range corpus(t, "smbios", "*", "expected.json") {
		var machine table
		readJSON(t, file, &machine)
		name := filepath.Base(filepath.Dir(file))
		got := observeSystem(string(machine.facts(t)), `{}`)
		for _, attribute := range []string{"manufacturer", "model", "serial_number", "uuid", "asset_tag"} {
			value, known := got.Attributes[attribute].(string)
			if !known {
				continue
			}
			if bad[strings.ToLower(value)] {
				t.Errorf("%s: %s is the placeholder %q", name, attribute, value)
			}
			if distinct[attribute] == nil {
				distinct[attribute] = map[string]bool{}
			}
			distinct[attribute][value] = true
		}
		if want := machine.System["serial"]; want != nil && got.Identifiers.SerialNumber != want {
			t.Errorf("%s: the identifier is %q, want %q as it stands", name, got.Identifiers.SerialNumber, want)
		}
		classes[got.Class]++
		checkClass(t, name, machine.Chassis, got.Class)
	}
	for attribute, values := range distinct {
		t.Logf("%s (%d): %q", attribute, len(values), slices.Sorted(maps.Keys(values)))
	}
	t.Logf("classes: %v", classes)
	for class, want := range map[string]int{"server": 21, "laptop": 8, "desktop": 7, "computer": 3} {
		if classes[class] != want {
			t.Errorf("%d are of class %s, want %d", classes[class], class, want)
		}
	}
}

// checkClass compares with the words in the name of the chassis type.
func checkClass(t *testing.T, name string, chassis []map[string]any, got string) {
	t.Helper()
	if len(chassis) == 0 {
		return
	}
	kind, _ := chassis[0]["type"].(string)
	want := "computer"
	for word, class := range map[string]string{
		"Notebook": "laptop", "Laptop": "laptop", "Portable": "laptop", "Desktop": "desktop", "Tower": "desktop",
		"Server": "server", "Rack": "server", "Multi-system": "server",
	} {
		if strings.Contains(kind, word) {
			want = class
		}
	}
	if got != want {
		t.Errorf("%s: class %s of chassis %q, want %s", name, got, kind, want)
	}
}

// serviceTags are the machines whose serial number stands in the chassis only.
var serviceTags = map[string]string{"dell-PE1300": "BYYE0", "dell-PE2450": "165IK", "dell-PE4400": "FG8Y6", "dell-PV755N": "35X1B11"}

func TestObserveServiceTag(t *testing.T) {
	t.Parallel()
	for _, file := range corpus(t, "smbios", "*", "expected.json") {
		name := filepath.Base(filepath.Dir(file))
		want, only := serviceTags[name]
		if !only {
			continue
		}
		var machine table
		readJSON(t, file, &machine)
		if got := observeSystem(string(machine.facts(t)), `{}`).Attributes["serial_number"]; got != want {
			t.Errorf("%s: serial number %v, want %s", name, got, want)
		}
	}
}

// display is a captured EDID in the words of the reference decoder.
type display struct {
	File         string
	Manufacturer string  `json:"manufacturer_pnp"`
	ProductCode  *uint64 `json:"product_code"`
	SerialNumber *uint64 `json:"serial_number"`
	SerialText   string  `json:"display_serial"`
	Model        string  `json:"display_name"`
	SHA256       string  `json:"sha256"`
	Week, Year   *uint64
}

func (d display) facts(t *testing.T) json.RawMessage {
	t.Helper()
	fields := map[string]any{"manufacturer_pnp": d.Manufacturer, "serial_text": d.SerialText, "model": d.Model}
	for name, n := range map[string]*uint64{"product_code": d.ProductCode, "serial_number": d.SerialNumber, "week": d.Week, "year": d.Year} {
		if n != nil {
			fields[name] = *n
		}
	}
	return facts(t, fields)
}

// TestObserveEDID: of the captured displays no two have one maker, product and genuine serial
// number.
func TestObserveEDID(t *testing.T) {
	t.Parallel()
	bad, seen, monitors, anonymous := refused(t), map[string]display{}, 0, 0
	for _, file := range corpus(t, "edid", "*", "expected.json") {
		var displays []display
		readJSON(t, file, &displays)
		for _, d := range displays {
			parts := reconcile.Observe(map[string][]json.RawMessage{"display": {d.facts(t)}}, honest).Components
			if len(parts) != 1 || parts[0].Class != "monitor" {
				t.Errorf("%s is no monitor: %v", d.File, parts)
				continue
			}
			monitors++
			serial, known := parts[0].Attributes["serial_number"].(string)
			if !known {
				anonymous++
				continue
			}
			if bad[strings.ToLower(serial)] {
				t.Errorf("%s: the serial number is the placeholder %s", d.File, serial)
			}
			id := parts[0].Identifiers
			key := id.Manufacturer + "|" + id.Model + "|" + serial
			if other, twice := seen[key]; twice && other.SHA256 != d.SHA256 {
				t.Errorf("%s and %s are both %s", other.File, d.File, key)
			}
			seen[key] = d
		}
	}
	t.Logf("%d monitors, %d of them without a serial number, %d distinct", monitors, anonymous, len(seen))
	if monitors != 298 {
		t.Errorf("%d monitors, want all 298", monitors)
	}
}
