package registry_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/musterhq/muster/agent/host"
	"github.com/musterhq/muster/agent/section/hosttest"
	"github.com/musterhq/muster/agent/section/registry"
)

const signature5 = "Windows Registry Editor Version 5.00"

const export = signature5 + `

; a comment
[HKEY_LOCAL_MACHINE\SOFTWARE\Example]
@="default"
"Text"="C:\\Program Files\\\"Example\""
"Lines"="first
second"
"Number"=dword:0000002a
"Big"=hex(b):01,00,00,00,00,00,00,00
"Expanded"=hex(2):25,00,41,00,\
  25,00,00,00
"List"=hex(7):61,00,00,00,62,00,00,00,00,00
"Bytes"=hex:de,ad
"Gone"=-

[-HKEY_LOCAL_MACHINE\SOFTWARE\Deleted]
"Text"="of a deleted key"

[HKEY_CURRENT_USER\Empty]
`

func utf16Of(text string) []byte { return append([]byte{0xFF, 0xFE}, encodeUTF16(text)...) }

func encodeUTF16(text string) []byte {
	data := host.TextValue(text).Data
	return data[:len(data)-2] // without the zero
}

// key returns a key of the registry that the keys make.
func key(t testing.TB, keys []registry.Key, path string) host.RegistryKey {
	t.Helper()
	k, err := registry.Tree(keys).Key(path)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func TestParse(t *testing.T) {
	t.Parallel()
	windows := strings.ReplaceAll(export, "\n", "\r\n")
	for name, data := range map[string][]byte{
		"UTF-8": []byte(export), "UTF-16": utf16Of(windows), "UTF-8 with mark": []byte("\uFEFF" + windows),
		"UTF-16 without mark": encodeUTF16(windows),
	} {
		keys, err := registry.Parse(data)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if len(keys) != 2 || keys[0].Path != `HKLM\SOFTWARE\Example` || keys[1].Path != `HKEY_CURRENT_USER\Empty` {
			t.Fatalf("%s: keys %v", name, keys)
		}
		k := key(t, keys, `HKLM\SOFTWARE\Example`)
		got := []string{k.Text(""), k.Text("text"), strings.ReplaceAll(k.Text("Lines"), "\r", ""), k.Text("Expanded"), k.Text("Number")}
		want := []string{"default", `C:\Program Files\"Example"`, "first\nsecond", "%A%", ""}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: texts (-want +got):\n%s", name, diff)
		}
		number, ok := k.Number("Number")
		big, okBig := k.Number("Big")
		if number != 42 || !ok || big != 1 || !okBig {
			t.Errorf("%s: numbers %d %v, %d %v", name, number, ok, big, okBig)
		}
		list := host.RegistryValue{Type: host.RegMultiText, Data: encodeUTF16("a\x00b\x00\x00")}
		if diff := cmp.Diff(list, k.Values["list"]); diff != "" {
			t.Errorf("%s: list (-want +got):\n%s", name, diff)
		}
		if data := k.Bytes("Bytes"); string(data) != "\xde\xad" {
			t.Errorf("%s: bytes %v", name, data)
		}
		if _, ok := k.Values["gone"]; ok {
			t.Errorf("%s: a deleted value is there", name)
		}
	}
}

func TestParseANSI(t *testing.T) {
	t.Parallel()
	keys, err := registry.Parse([]byte("REGEDIT4\n\n[HKEY_LOCAL_MACHINE\\A]\n\"Name\"=\"M\xfcller\"\n\"Path\"=hex(2):25,41,25,00\n"))
	if err != nil || len(keys) != 1 {
		t.Fatal(keys, err)
	}
	if k := key(t, keys, `HKLM\A`); k.Text("Name") != "Müller" || k.Text("Path") != "%A%" {
		t.Errorf("got %q, %q", k.Text("Name"), k.Text("Path"))
	}
}

func TestParseLeavesOutTheSmallestPart(t *testing.T) {
	t.Parallel()
	keys, err := registry.Parse([]byte(signature5 + `
[HKEY_LOCAL_MACHINE\A]
"Broken"=hex:zz
"Unknown"=float:1
noise
"Good"="1"
"Open"="never closed
[HKEY_LOCAL_MACHINE\B]
"Good"="2"
`))
	if err == nil || !strings.HasPrefix(err.Error(), "4 entries left out: line 3: ") {
		t.Errorf("error %v", err)
	}
	if len(keys) != 2 || key(t, keys, `HKLM\A`).Text("Good") != "1" || key(t, keys, `HKLM\B`).Text("Good") != "2" {
		t.Errorf("keys %v", keys)
	}
	if _, err := registry.Parse([]byte("<xml/>")); !errors.Is(err, registry.ErrFormat) {
		t.Errorf("error %v, want ErrFormat", err)
	}
}

// TestCorpus reads all recorded exports without damage.
func TestCorpus(t *testing.T) {
	t.Parallel()
	for _, name := range exports(t) {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		keys, err := registry.Parse(data)
		if err != nil || len(keys) == 0 {
			t.Errorf("%s: %d keys, %v", filepath.Base(name), len(keys), err)
		}
	}
}

func exports(t testing.TB) []string {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(hosttest.Corpus(t, "glpi-agent", "resources", "win32", "registry"), "*.reg"))
	if err != nil || len(names) == 0 {
		t.Fatalf("no exports: %v", err)
	}
	return names
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(export))
	f.Add(utf16Of(export))
	f.Add([]byte("REGEDIT4\n[HKEY_LOCAL_MACHINE\\A]\n\"Path\"=hex(2):25,41,25,00\n"))
	const maxSeed = 16 << 10
	for _, name := range exports(f) {
		if data, err := os.ReadFile(name); err == nil {
			f.Add(data[:min(len(data), maxSeed)])
		}
	}
	f.Add([]byte(signature5 + "\n[HKEY_USERS" + strings.Repeat(`\`, 600) + "]\n\"a\"=dword:1\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		keys, _ := registry.Parse(data)
		tree := registry.Tree(keys)
		for _, k := range keys {
			found, err := tree.Key(k.Path)
			if err != nil {
				t.Error(err)
			}
			for _, v := range k.Values {
				found.Text(v.Name)
				found.Number(v.Name)
			}
		}
	})
}
