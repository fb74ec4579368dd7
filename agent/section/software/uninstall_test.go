package software

import (
	"encoding/binary"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/testing/protocmp"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/musterhq/muster/agent/host"
	"github.com/musterhq/muster/agent/section/hosttest"
	inventoryv1 "github.com/musterhq/muster/proto/muster/inventory/v1"
)

const (
	list64    = machineSoftware + uninstallKey + `\`
	list32    = machineSoftware32 + uninstallKey + `\`
	alice     = "S-1-5-21-1-2-3-1001"
	bob       = "S-1-12-1-4-5-6-7"
	aliceList = `HKU\` + alice + `\Software\` + uninstallKey + `\`
	bobList   = `HKU\` + bob + `\Software\` + uninstallKey + `\`
)

func TestUninstall(t *testing.T) {
	t.Parallel()
	const code = "{90160000-008c-0000-1000-0000000ff1ce}"
	h := hosttest.Windows(t, map[string]map[string]any{
		environmentKey: {"PROCESSOR_ARCHITECTURE": "AMD64"},
		list64 + code: {
			"DisplayName": "Office\x00", "Publisher": " Microsoft\tCorporation ", "WindowsInstaller": uint32(1),
			"Version": uint32(0x10002ee0), "InstallDate": "20240229", "EstimatedSize": uint32(2), "SystemComponent": uint32(1),
			"InstallLocation": `"C:\Program Files\Office"`,
		},
		list32 + "VLC":       {"DisplayName": "VLC", "DisplayVersion": "3.0.20", "InstallDate": uint32(1_700_000_000)},
		list32 + "KB1":       {"DisplayName": "Update", "ParentKeyName": "VLC"},
		list32 + "KB2":       {"DisplayName": "Fix", "ReleaseType": "Hotfix"},
		list32 + "No name":   {"DisplayVersion": "1"},
		list32 + "Ambiguous": {"DisplayName": "Ambiguous", "InstallDate": "05/06/2024", "WindowsInstaller": uint32(1)},
		aliceList + "Zoom":   {"DisplayName": "Zoom", "DisplayVersion": "5", "InstallLocation": `C:\Users\alice\AppData`},
		bobList + "Zoom":     {"DisplayName": "Zoom", "DisplayVersion": "5"},
		bobList + "Zoom 6":   {"DisplayName": "Zoom", "DisplayVersion": "6"},
		`HKU\S-1-5-18\Software\` + uninstallKey + `\x`:              {"DisplayName": "of the system"},
		`HKU\` + alice + `_Classes\Software\` + uninstallKey + `\x`: {"DisplayName": "no list"},
	})
	items, err := Collector().Collect(t.Context(), h)
	if err != nil {
		t.Fatal(err)
	}
	want := []proto.Message{
		&inventoryv1.Software{
			Source: "msi", Name: "Office", Version: "16.0.12000", Arch: "x64", Publisher: "Microsoft Corporation",
			ProductCode: strings.ToUpper(code), IsSystemComponent: true, InstallDatePrecision: "day",
			InstallDate: timestamppb.New(time.Date(2024, time.February, 29, 0, 0, 0, 0, time.UTC)), SizeBytes: proto.Uint64(2048),
			InstallLocation: `C:\Program Files\Office`,
		},
		&inventoryv1.Software{Source: "registry", Name: "Ambiguous", Arch: "x86"},
		&inventoryv1.Software{
			Source: "registry", Name: "VLC", Version: "3.0.20", Arch: "x86", InstallDate: &timestamppb.Timestamp{Seconds: 1_700_000_000},
		},
		&inventoryv1.Software{Source: "registry", Name: "Zoom", Version: "5", Scope: "user"},
		&inventoryv1.Software{Source: "registry", Name: "Zoom", Version: "6", Scope: "user"},
	}
	if diff := gocmp.Diff(byScope(want), byScope(items), protocmp.Transform()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// byScope indexes items by what distinguishes them.
func byScope(items []proto.Message) map[string]*inventoryv1.Software {
	index := map[string]*inventoryv1.Software{}
	for _, item := range items {
		s := item.(*inventoryv1.Software)
		index[strings.Join([]string{s.Source, s.Name, s.Arch, s.Scope, s.Version}, "|")] = s
	}
	return index
}

func TestUninstallIsEmptyWithoutKeys(t *testing.T) {
	t.Parallel()
	h := hosttest.Windows(t, map[string]map[string]any{`HKLM\SOFTWARE`: {}, `HKU\.DEFAULT`: {}})
	if items, err := Collector().Collect(t.Context(), h); err != nil || len(items) != 0 {
		t.Errorf("%d items, error %v", len(items), err)
	}
}

// failing is a registry in which one key cannot be read.
type failing struct {
	host.Registry
	path string
}

func (f failing) Key(path string) (host.RegistryKey, error) {
	if path == f.path {
		return host.RegistryKey{}, os.ErrPermission
	}
	return f.Registry.Key(path)
}

func TestUninstallKeepsTheRest(t *testing.T) {
	t.Parallel()
	tree := hosttest.Registry(t, map[string]map[string]any{
		list64 + "a": {"DisplayName": "A"}, list64 + "b": {"DisplayName": "B"}, aliceList + "c": {"DisplayName": "C"},
	})
	for path, want := range map[string]int{list64 + "a": 2, strings.TrimSuffix(list64, `\`): 1, `HKU`: 2} {
		h := hosttest.Windows(t, nil).WithRegistry(failing{tree, path})
		if items, err := Collector().Collect(t.Context(), h); err == nil || len(items) != want {
			t.Errorf("without %s: %d items, error %v", path, len(items), err)
		}
	}
}

func TestInstallDate(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"20240229": "2024-02-29 day", "2024-02-29": "2024-02-29 day", "20230229": "", "02/29/2024": "", "1700000000": "2023-11-14 ",
		"16010101": "", "": "", "29991231": "", "now": "",
	} {
		at, precision := installDate(host.RegistryKey{Values: map[string]host.RegistryValue{"installdate": host.TextValue(text)}})
		got := ""
		if !at.IsZero() {
			got = at.UTC().Format(time.DateOnly) + " " + precision
		}
		if got != want {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	}
}

func TestAppx(t *testing.T) {
	t.Parallel()
	const (
		calculator = "Microsoft.WindowsCalculator_11.2.0.0_x64__8wekyb3d8bbwe"
		bundle     = "Microsoft.WindowsCalculator_2020.1.0.0_neutral_~_8wekyb3d8bbwe"
		maps       = "Microsoft.WindowsMaps_5.1.0.0_neutral_~_8wekyb3d8bbwe"
		libraries  = "Microsoft.VCLibs.140.00_14.0.3.0_x86__8wekyb3d8bbwe"
		explorer   = "c5e2524a-ea46-4f67-841f-6a9465d9d515_10.0.19041.1_neutral_neutral_cw5n1h2txyewy"
		spotify    = "SpotifyAB.SpotifyMusic_1.2.0.0_x64__zpdnekdrzrea0"
		language   = "SpotifyAB.SpotifyMusic_1.2.0.0_neutral_split.language-de_zpdnekdrzrea0"
	)
	installTime := host.RegistryValue{Type: host.RegQWord, Data: binary.LittleEndian.AppendUint64(nil, 133_276_692_300_000_000)}
	tree := hosttest.Registry(t, map[string]map[string]any{
		appxStore + `\Applications\` + bundle:          {},
		appxStore + `\Applications\` + maps:            {"Path": `C:\Maps\AppxMetadata\AppxBundleManifest.xml`},
		appxStore + `\Applications\` + libraries:       {"Path": `C:\VCLibs\AppxManifest.xml`},
		appxStore + `\InboxApplications\` + explorer:   {"Path": `C:\Explorer\AppxManifest.xml`},
		appxStore + `\` + alice + `\` + calculator:     {"Path": `C:\Calculator`},
		appxStore + `\` + alice + `\` + spotify:        {},
		appxStore + `\` + alice + `\` + language:       {},
		appxStore + `\` + bob + `\` + spotify:          {},
		appxStore + `\` + bob + `\not a package`:       {},
		appxStore + `\Config`:                          {},
		`HKU\` + alice + appxPackages + `\` + spotify:  {"DisplayName": "Spotify Music"},
		`HKU\` + bob + appxPackages + `\` + calculator: {"DisplayName": "@{Microsoft…?ms-resource://…}"},
	})
	tree.Add(`HKU\`+alice+appxFamilies+`\SpotifyAB.SpotifyMusic_zpdnekdrzrea0\`+spotify, map[string]host.RegistryValue{"InstallTime": installTime})
	manifest := func(name, publisher, more string) string {
		return `<?xml version="1.0" encoding="utf-8"?><Package xmlns="http://schemas.microsoft.com/appx/manifest/foundation/windows10">` +
			`<Identity Name="x"/><Properties><DisplayName>` + name + `</DisplayName><PublisherDisplayName>` + publisher +
			`</PublisherDisplayName>` + more + `</Properties></Package>`
	}
	h := hosttest.Tree(t, map[string]string{
		"/C:/Calculator/AppxManifest.xml": manifest("ms-resource:AppName", "Microsoft", ""),
		"/C:/VCLibs/AppxManifest.xml":     manifest("Visual C++ Runtime", "ms-resource:Publisher", "<Framework>true</Framework>"),
		"/C:/Explorer/AppxManifest.xml":   "<Package><Properties>",
	}).WithRegistry(tree)
	items, err := Collector().Collect(t.Context(), h)
	if err != nil {
		t.Fatal(err)
	}
	want := []proto.Message{
		&inventoryv1.Software{
			Source: "msix", Name: "Microsoft.WindowsCalculator", Version: "11.2.0.0", Arch: "x64", Scope: "user", Publisher: "Microsoft",
			PackageFamilyName: "Microsoft.WindowsCalculator_8wekyb3d8bbwe",
		},
		&inventoryv1.Software{
			Source: "msix", Name: "Microsoft.WindowsMaps", Version: "5.1.0.0", Arch: "neutral", Publisher: "Microsoft Corporation",
			PackageFamilyName: "Microsoft.WindowsMaps_8wekyb3d8bbwe",
		},
		&inventoryv1.Software{
			Source: "msix", Name: "Visual C++ Runtime", Version: "14.0.3.0", Arch: "x86", Publisher: "Microsoft Corporation",
			PackageFamilyName: "Microsoft.VCLibs.140.00_8wekyb3d8bbwe", IsSystemComponent: true,
		},
		&inventoryv1.Software{
			Source: "msix", Name: "c5e2524a-ea46-4f67-841f-6a9465d9d515", Version: "10.0.19041.1", Arch: "neutral",
			Publisher: "Microsoft Corporation", PackageFamilyName: "c5e2524a-ea46-4f67-841f-6a9465d9d515_cw5n1h2txyewy", IsSystemComponent: true,
		},
		&inventoryv1.Software{
			Source: "msix", Name: "Spotify Music", Version: "1.2.0.0", Arch: "x64", Scope: "user",
			PackageFamilyName: "SpotifyAB.SpotifyMusic_zpdnekdrzrea0",
			InstallDate:       timestamppb.New(time.Date(2023, time.May, 4, 10, 20, 30, 0, time.UTC)),
		},
	}
	if diff := gocmp.Diff(byScope(want), byScope(items), protocmp.Transform()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestUninstallCorpus compares names, versions and publishers with recorded registries. The
// expected name of a database contains its edition, which is a field of its own here. The packages
// from Windows itself in the recordings are not from the registry.
func TestUninstallCorpus(t *testing.T) {
	t.Parallel()
	data, err := os.ReadFile(hosttest.Corpus(t, "glpi-agent", "expected", "windows-softwares.json"))
	if err != nil {
		t.Fatal(err)
	}
	var recorded struct {
		Cases map[string]struct {
			Files    []string `json:"files"`
			Expected []struct {
				Name      string `json:"NAME"`
				Version   string `json:"VERSION"`
				Publisher string `json:"PUBLISHER"`
				From      string `json:"FROM"`
			} `json:"expected"`
		} `json:"softwares_tests"`
	}
	if err := json.Unmarshal(data, &recorded); err != nil {
		t.Fatal(err)
	}
	equal, all := 0, 0
	for name, recording := range recorded.Cases {
		var files []string
		for _, file := range recording.Files {
			if filepath.Ext(file) == ".reg" {
				files = append(files, hosttest.Corpus(t, "glpi-agent", filepath.FromSlash(file)))
			}
		}
		h := hosttest.Windows(t, nil).WithRegistry(hosttest.RegFiles(t, files...))
		items, err := Collector().Collect(t.Context(), h)
		if err != nil && !strings.Contains(err.Error(), "HKU") { // the recordings have keys of the machine only
			t.Errorf("%s: %v", name, err)
		}
		found := map[[3]string]bool{}
		for _, item := range items {
			s := item.(*inventoryv1.Software)
			found[[3]string{strings.TrimSpace(s.Name + " " + s.Edition), s.Version, s.Publisher}] = true
		}
		for _, want := range recording.Expected {
			if want.From != "registry" {
				continue
			}
			all++
			if key := [3]string{want.Name, want.Version, want.Publisher}; found[key] {
				equal++
				delete(found, key)
			} else {
				t.Errorf("%s: no %v", name, key)
			}
		}
		for extra := range found {
			t.Errorf("%s: unexpected %v", name, extra)
		}
	}
	t.Logf("%d of %d equal", equal, all)
}

func FuzzUninstall(f *testing.F) {
	f.Add("{90160000-008C-0000-1000-0000000FF1CE}", "Office", uint32(host.RegText), []byte("2\x000\x00"), uint64(1<<63))
	f.Fuzz(func(t *testing.T, name, display string, kind uint32, data []byte, number uint64) {
		value := host.RegistryValue{Type: kind, Data: data}
		key := host.RegistryKey{Values: map[string]host.RegistryValue{
			"displayname": host.TextValue(display), "displayversion": value, "publisher": value, "installdate": value,
			"version": value, "estimatedsize": value, "windowsinstaller": host.DWordValue(uint32(number)), "installlocation": value,
		}}
		if item := programOf(name, key); item != nil {
			checkList(t, &list{items: []proto.Message{item}})
		}
		parsePackageName(name)
		msiVersion(number)
	})
}

func FuzzManifest(f *testing.F) {
	f.Add([]byte("<Package><Properties><DisplayName>a</DisplayName></Properties></Package>"))
	f.Fuzz(func(_ *testing.T, data []byte) { parseManifest(data) })
}
