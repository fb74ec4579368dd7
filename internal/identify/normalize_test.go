package identify_test

import (
	"encoding/hex"
	"slices"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/google/uuid"
	"pgregory.net/rapid"

	"github.com/musterhq/muster/internal/identify"
	"github.com/musterhq/muster/internal/inventory"
)

func TestNormalize(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name     string
		ids      inventory.RawIdentifiers
		want     []inventory.Identifier
		rejected []inventory.Rejection
	}{
		{name: "nothing"},
		{
			name: "serial number and maker",
			ids:  inventory.RawIdentifiers{Manufacturer: " Dell  Inc.", SerialNumber: "7kNZB\u00a0 12 "},
			want: []inventory.Identifier{"serial:dell|7knzb 12", "serial_unscoped:|7knzb 12"},
		},
		{
			name: "serial number without a maker",
			ids:  inventory.RawIdentifiers{Manufacturer: "System manufacturer", SerialNumber: "7KNZB12"},
			want: []inventory.Identifier{"serial_unscoped:|7knzb12"},
		},
		{
			name: "board and chassis repeat the system's number",
			ids:  inventory.RawIdentifiers{Manufacturer: "Acer", SerialNumber: "DTSV1", BoardSerial: "dtsv1", ChassisSerial: "DTSV1"},
			want: []inventory.Identifier{"serial:acer|dtsv1", "serial_unscoped:|dtsv1"},
			rejected: []inventory.Rejection{
				{Kind: "board", Value: "dtsv1", Pattern: "repeats-serial"}, {Kind: "chassis", Value: "DTSV1", Pattern: "repeats-serial"},
			},
		},
		{
			name: "a Dell whose service tag is the chassis' only",
			ids: inventory.RawIdentifiers{
				Manufacturer: "Dell Computer Corporation", SerialNumber: "Not Specified", ChassisManufacturer: "Dell Computer Corporation", ChassisSerial: "BYYE0",
			},
			want: []inventory.Identifier{"serial:dell|byye0", "serial_unscoped:|byye0"},
			rejected: []inventory.Rejection{
				{Kind: "chassis", Value: "BYYE0", Pattern: "repeats-serial"}, {Kind: "serial", Value: "Not Specified", Pattern: "text/not-there"},
			},
		},
		{
			name: "the chassis of another manufacturer does not identify the system",
			ids:  inventory.RawIdentifiers{Manufacturer: "HP", ChassisManufacturer: "HP", ChassisSerial: "GB8714BMAF"},
			want: []inventory.Identifier{"chassis:hp|gb8714bmaf"},
		},
		{
			name: "the UUID as serial number",
			ids: inventory.RawIdentifiers{
				Manufacturer: "Amazon EC2", SerialNumber: "EC2A1B2C-3D4E-5F60-7182-93A4B5C6D7E8", UUID: "2c1b2aec-4e3d-605f-7182-93a4b5c6d7e8",
			},
			want: []inventory.Identifier{"uuid:|2c1b2aec-4e3d-605f-7182-93a4b5c6d7e8"},
		},
		{
			name: "a malformed UUID",
			ids:  inventory.RawIdentifiers{UUID: "Not Settable"},
			rejected: []inventory.Rejection{
				{Kind: "uuid", Value: "Not Settable", Pattern: "malformed"},
			},
		},
		{
			name: "the address that a card was made with",
			ids: inventory.RawIdentifiers{Interfaces: []inventory.InterfaceID{
				{MAC: "3e-00-00-00-00-01", Permanent: "A4BB.6D10.2031", Type: "wifi"},
				{MAC: "a4:bb:6d:10:20:32", Permanent: "00:00:00:00:00:00"},
				{Type: "tunnel"},
			}},
			want: []inventory.Identifier{"mac:|a4:bb:6d:10:20:31", "mac:|a4:bb:6d:10:20:32"},
		},
		{
			name: "disks",
			ids: inventory.RawIdentifiers{Disks: []inventory.DiskID{
				{Manufacturer: "ATA", Model: "Samsung SSD 970 EVO", SerialNumber: "S4EWNX0R401251", WWN: "0x5002538e40b1a2c3"},
				{Model: "WD Blue", SerialNumber: "0000000000", WWN: "0x50014EE2B5A1C3D4"},
				{Model: "Flash Disk", SerialNumber: "AA00000000000489", Bus: "USB"},
			}},
			want: []inventory.Identifier{"disk:samsungssd970evo|s4ewnx0r401251", "disk:wwn|50014ee2b5a1c3d4"},
			rejected: []inventory.Rejection{
				{Kind: "disk", Value: "0000000000", Pattern: "serial/repeated"}, {Kind: "disk", Value: "AA00000000000489", Pattern: "disk/not-internal"},
			},
		},
		{
			name: "installations and names",
			ids: inventory.RawIdentifiers{
				OSInstallID: "{1F0C1E7A-9D3B-4C5E-8F6A-7B8C9D0E1F21}", Hostname: "PC-1.local", FQDN: "pc-1.Example.com.", Native: []string{"aws:i-0A1B", "slot"},
			},
			want: []inventory.Identifier{
				"name:example.com|pc-1", "name:|pc-1", "native:aws|i-0a1b", "native:|slot", "os:|1f0c1e7a9d3b4c5e8f6a7b8c9d0e1f21",
			},
		},
		{
			name: "a container has nothing of its host's",
			ids: inventory.RawIdentifiers{
				Container: "docker", Manufacturer: "Dell", SerialNumber: "7KNZB12", UUID: "4c4c4544-004b-4e10-805a-b7c04f424831", Hostname: "web",
				Interfaces: []inventory.InterfaceID{{MAC: "a4:bb:6d:10:20:31"}},
			},
			want: []inventory.Identifier{"name:|web"},
			rejected: []inventory.Rejection{
				{Kind: "mac", Value: "a4:bb:6d:10:20:31", Pattern: "container", Host: "mac:|a4:bb:6d:10:20:31"},
				{Kind: "serial", Value: "7KNZB12", Pattern: "container", Host: "serial:dell|7knzb12"},
				{Kind: "uuid", Value: "4c4c4544-004b-4e10-805a-b7c04f424831", Pattern: "container", Host: "uuid:|44454c4c-4b00-104e-805a-b7c04f424831"},
			},
		},
		{
			name:     "too long to be one",
			ids:      inventory.RawIdentifiers{TPM: strings.Repeat("ab", 130)},
			rejected: []inventory.Rejection{{Kind: "tpm", Value: strings.Repeat("ab", 130)[:255], Pattern: "too-long"}},
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			identifiers, rejected := identify.Default().Normalize(test.ids)
			if diff := cmp.Diff(test.want, identifiers, cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("identifiers (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(test.rejected, rejected, cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("rejected (-want +got):\n%s", diff)
			}
		})
	}
}

// TestMakers: the spellings of one manufacturer are equal, and those of two differ.
func TestMakers(t *testing.T) {
	t.Parallel()
	for _, names := range [][]string{
		{"Dell Inc.", "DELL", "Dell Computer Corporation", "Dell Computer Corp."},
		{"HP", "Hewlett-Packard", "Hewlett Packard", "HP Inc."},
		{"ASUSTeK COMPUTER INC.", "ASUS", "ASUSTeK Computer Inc."},
		{"Gigabyte Technology Co., Ltd.", "GIGABYTE"},
		{"Micro-Star International Co., Ltd.", "MSI"},
		{"LENOVO", "Lenovo Group Limited"},
		{"FUJITSU", "FUJITSU CLIENT COMPUTING LIMITED", "Fujitsu Siemens"},
		{"Super Micro Computer", "Supermicro"},
		{"Hewlett Packard Enterprise", "HPE", "HP", "HP Deutschland GmbH"},
		{"LENOVO", "Lenovo Deutschland GmbH", "Lenovo (Beijing) Limited", "联想(北京)有限公司", "IBM Lenovo"}, //nolint:gosmopolitan // as makers write it
		{"Intel", "Intel Corporation", "Intel(R) Client Systems", "Intel Corp."},
		{"FUJITSU", "Fujitsu Technology Solutions GmbH", "富士通株式会社", "FUJITSU CLIENT COMPUTING LIMITED"}, //nolint:gosmopolitan // as makers write it
		{"Panasonic Corporation", "Panasonic Connect Co., Ltd.", "Matsushita Electric Industrial Co.,Ltd."},
		{"Dynabook Inc.", "TOSHIBA", "Toshiba Client Solutions Co., Ltd.", "Dynabook Europe GmbH"},
		{"Dell Inc.", "Dell GmbH", "Dell\u200b Inc.\u00ad", "DEL"},
		{"Acer"},
	} {
		first, _ := identify.Default().Normalize(inventory.RawIdentifiers{Manufacturer: names[0], SerialNumber: "7KNZB12"})
		for _, name := range names[1:] {
			identifiers, _ := identify.Default().Normalize(inventory.RawIdentifiers{Manufacturer: name, SerialNumber: "7KNZB12"})
			if diff := cmp.Diff(first, identifiers); diff != "" {
				t.Errorf("%s and %s (-first +other):\n%s", names[0], name, diff)
			}
		}
	}
}

// TestOtherMakers: names that are not one maker stay apart.
func TestOtherMakers(t *testing.T) {
	t.Parallel()
	seen := map[inventory.Identifier]string{}
	for _, name := range []string{
		"HP", "Dell", "Lenovo", "Fujitsu", "Panasonic", "Dynabook", "Intel", "Sony", "VAIO", "ASUS", "ASRock", "Apple", "Acer",
		"HPC Systems", "Hewlett", "Packard Bell", "Micro Center", "Super Star", "Lenox", "Dellmark",
	} {
		identifiers, _ := identify.Default().Normalize(inventory.RawIdentifiers{Manufacturer: name, SerialNumber: "7KNZB12"})
		if other := seen[identifiers[0]]; other != "" {
			t.Errorf("%s and %s are one maker: %v", name, other, identifiers[0])
		}
		seen[identifiers[0]] = name
	}
}

// TestPlaceholdersInAnySpelling: neither spaces nor punctuation nor case makes a placeholder a
// serial number, and none of them makes a serial number a placeholder.
func TestPlaceholdersInAnySpelling(t *testing.T) {
	t.Parallel()
	for value, honest := range map[string]bool{
		"ToBeFilledByO.E.M.": false, "TO BE FILLED BY OEM": false, "To-be-filled_by O. E. M.": false, "tobefilledbyoem": false,
		"To\u00a0Be Filled\u200b By O.E.M.": false, "Default  String": false, "default-string": false, "SystemSerialNumber": false,
		"System.Serial.Number": false, "NOTSPECIFIED": false, "Not-Applicable": false, "Chassis_Serial_Number": false,
		"8.93901E+18": false, "8,93901e+18": false, "1E+15": false, "1.5E12": false,
		"OEM12345": true, "5E12345": true, "E+18X": true, "1.893901": false, "TBF0EM77": true, "DEFAULT7": true,
	} {
		if got := identify.Default().IsHonest("serial_number", value); got != honest {
			t.Errorf("%q: honest is %v", value, got)
		}
	}
}

// TestFormatCharacters: invisible characters never part two equal identifiers.
func TestFormatCharacters(t *testing.T) {
	t.Parallel()
	want, _ := identify.Default().Normalize(inventory.RawIdentifiers{Manufacturer: "Dell Inc.", SerialNumber: "7KNZB12", Hostname: "pc-1"})
	for c := range unicode.Cf.R16[len(unicode.Cf.R16)-1].Hi + 1 {
		if !unicode.Is(unicode.Cf, rune(c)) {
			continue
		}
		mark := string(rune(c))
		got, _ := identify.Default().Normalize(inventory.RawIdentifiers{
			Manufacturer: "De" + mark + "ll Inc.", SerialNumber: mark + "7KN" + mark + "ZB12", Hostname: "pc" + mark + "-1" + mark,
		})
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("U+%04X (-want +got):\n%s", c, diff)
		}
	}
}

// TestUUIDReadings: both byte orders of a UUID normalize to one identifier.
func TestUUIDReadings(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		raw := rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(t, "bytes")
		u := uuid.UUID(raw)
		other := u
		slices.Reverse(other[:4])
		slices.Reverse(other[4:6])
		slices.Reverse(other[6:8])
		a, _ := identify.Default().Normalize(inventory.RawIdentifiers{UUID: u.String()})
		b, _ := identify.Default().Normalize(inventory.RawIdentifiers{UUID: strings.ToUpper(hex.EncodeToString(other[:]))})
		if diff := cmp.Diff(a, b); diff != "" {
			t.Fatal(diff)
		}
	})
}

// TestNormalIsNormal: the value of an identifier normalizes to itself.
func TestNormalIsNormal(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		ids := inventory.RawIdentifiers{
			Manufacturer: rapid.String().Draw(t, "maker"), SerialNumber: rapid.String().Draw(t, "serial"), TPM: rapid.String().Draw(t, "tpm"),
			BoardManufacturer: rapid.String().Draw(t, "board maker"), BoardSerial: rapid.String().Draw(t, "board"), OSInstallID: rapid.String().Draw(t, "os"),
		}
		first, _ := identify.Default().Normalize(ids)
		var again inventory.RawIdentifiers
		for _, identifier := range first {
			kind, rest, _ := strings.Cut(string(identifier), ":")
			scope, value, _ := strings.Cut(rest, "|")
			switch kind {
			case "serial":
				again.Manufacturer, again.SerialNumber = scope, value
			case "serial_unscoped":
				again.SerialNumber = value
			case "board":
				again.BoardManufacturer, again.BoardSerial = scope, value
			case "tpm":
				again.TPM = value
			case "os":
				again.OSInstallID = value
			}
		}
		second, _ := identify.Default().Normalize(again)
		if diff := cmp.Diff(first, second, cmpopts.EquateEmpty()); diff != "" {
			t.Fatalf("%+v\n%s", ids, diff)
		}
	})
}

func TestIsBlockingKey(t *testing.T) {
	t.Parallel()
	for identifier, want := range map[inventory.Identifier]bool{
		"serial:dell|7knzb12": true, "serial_unscoped:|7knzb12": true, "os:|1f": true, "chassis:|a": true, "name:|pc": false, "colour:|red": false, "": false,
	} {
		if got := identify.IsBlockingKey(identifier); got != want {
			t.Errorf("Searchable(%q) = %v, want %v", identifier, got, want)
		}
	}
}

// FuzzNormalize: identifiers of any input fit an index and a text column, and are sorted.
func FuzzNormalize(f *testing.F) {
	f.Add("Dell Inc.", "7KNZB12", "4c4c4544-004b-4e10-805a-b7c04f424831", "a4:bb:6d:10:20:31", "1f0c1e7a9d3b4c5e8f6a7b8c9d0e1f21", "pc-1.example.com", "")
	f.Add("To Be Filled\x00By O.E.M.", "VMware-56 4d 60", "{", "A4BB.6D10.2031", "\xff", ".", "lxc")
	f.Add("İ|", "|:", "urn:uuid:", "::", "-", "a|b.c|d", "|")
	f.Fuzz(func(t *testing.T, maker, serial, id, mac, os, name, container string) {
		ids := inventory.RawIdentifiers{
			Manufacturer: maker, SerialNumber: serial, UUID: id, BoardManufacturer: serial, BoardSerial: maker, TPM: os, ChassisSerial: serial + maker,
			Interfaces: []inventory.InterfaceID{{MAC: mac, Permanent: id, Type: container}}, OSInstallID: os, Hostname: name, FQDN: maker,
			Disks:  []inventory.DiskID{{Manufacturer: maker, Model: name, SerialNumber: serial, WWN: id, Bus: container}},
			Native: []string{name, maker + ":" + serial}, Container: container,
		}
		identifiers, rejected := identify.Default().Normalize(ids)
		if !slices.IsSorted(identifiers) || len(slices.Compact(slices.Clone(identifiers))) != len(identifiers) {
			t.Errorf("not sorted, or not unique: %q", identifiers)
		}
		for _, identifier := range identifiers {
			kind, rest, ok := strings.Cut(string(identifier), ":")
			if len(identifier) > 255 || !fit(string(identifier)) || !ok || !strings.Contains(rest, "|") {
				t.Errorf("%q does not fit", identifier)
			}
			if container != "" && !slices.Contains([]string{"os", "native", "name"}, kind) {
				t.Errorf("%q of a container", identifier)
			}
		}
		for _, rejection := range rejected {
			if rejection.Pattern == "" || len(rejection.Value) > 255 || !fit(rejection.Value) {
				t.Errorf("%+v does not fit", rejection)
			}
		}
	})
}

func fit(s string) bool { return utf8.ValidString(s) && !strings.ContainsRune(s, 0) }
