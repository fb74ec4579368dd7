package software

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"

	"github.com/musterhq/muster/agent/section/hosttest"
	"github.com/musterhq/muster/agent/section/plist"
	"github.com/musterhq/muster/agent/section/profiler"
	"github.com/musterhq/muster/agent/section/registry"
	inventoryv1 "github.com/musterhq/muster/proto/muster/inventory/v1"
)

// TestRecordedBundles reads recorded Info.plist files in each format.
func TestRecordedBundles(t *testing.T) {
	t.Parallel()
	files := map[string]string{}
	names, err := filepath.Glob(filepath.Join(hosttest.Corpus(t, "packages", "macapps", "scalibr"), "*.plist"))
	if err != nil || len(names) == 0 {
		t.Fatalf("no lists: %v", err)
	}
	for _, name := range names {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		files["/Applications/"+filepath.Base(name)+".app/Contents/Info.plist"] = string(data)
	}
	l := newList(release{})
	err = collectBundles(t.Context(), hosttest.Tree(t, files), l)
	if err == nil {
		t.Error("no error of the damaged lists")
	}
	got := map[string]string{}
	for _, item := range l.items {
		s, _ := item.(*inventoryv1.Software)
		got[s.Name] = s.Version
	}
	want := map[string]string{
		"BinaryApp.plist": "202410231131", "DifferentFormat.plist": "", "Empty.plist": "", "InvalidFormat.plist": "",
		"MissingData.plist": "6723.69", "ValidXML.plist": "130.0.6723.69",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("versions (-want +got):\n%s\n%v", diff, err)
	}
}

// TestRecordedHomebrew reads a recorded installation.
func TestRecordedHomebrew(t *testing.T) {
	t.Parallel()
	root := hosttest.Corpus(t, "packages", "homebrew", "scalibr")
	files := map[string]string{}
	err := filepath.WalkDir(root, func(path string, entry os.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		below, err := filepath.Rel(root, path)
		if err != nil {
			return err
		}
		data, err := os.ReadFile(path)
		files["/opt/homebrew/"+filepath.ToSlash(below)] = string(data)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	l := newList(release{})
	if err := collectHomebrew(t.Context(), hosttest.Tree(t, files), l); err != nil {
		t.Error(err)
	}
	var got []string
	for _, item := range l.items {
		s, _ := item.(*inventoryv1.Software)
		got = append(got, s.Source+" "+s.Name+" "+s.Version)
	}
	want := []string{
		"homebrew rclone 1.67.0", "homebrew_cask android-platform-tools 35.0.2", "homebrew_cask firefox 130.0.1",
		"homebrew_cask somefolder latest", "homebrew_cask testapp 1.1.1",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("packages (-want +got):\n%s", diff)
	}
}

func TestMachArch(t *testing.T) {
	t.Parallel()
	for head, want := range map[string]string{
		"\xCF\xFA\xED\xFE\x0C\x00\x00\x01":                 "arm64",
		"\xCF\xFA\xED\xFE\x07\x00\x00\x01":                 "x86_64",
		"\xFE\xED\xFA\xCE\x00\x00\x00\x12":                 "ppc",
		"\xCA\xFE\xBA\xBE\x00\x00\x00\x02":                 universal,
		"\xCA\xFE\xBA\xBE\x00\x00\x00\x01\x01\x00\x00\x07": "x86_64",
		"\xCA\xFE\xBA\xBE\x00\x00\x00\x34":                 "", // a Java class
		"#!/bin/sh\n":                                      "",
		"":                                                 "",
	} {
		if got := machArch([]byte(head)); got != want {
			t.Errorf("%q: %q, want %q", head, got, want)
		}
	}
}

func TestPublisherOf(t *testing.T) {
	t.Parallel()
	for signers, want := range map[string]string{
		"Software Signing, Apple Code Signing Certification Authority, Apple Root CA": "Apple",
		"Software Signing": "Apple",
		"Developer ID Application: Example (West), Inc. (ABCDE12345), Developer ID CA": "Example (West), Inc.",
		"Developer ID Application: David Kocher (G69SCX94XU)":                          "David Kocher",
		"Apple Mac OS Application Signing, Apple Root CA":                              "",
		"Developer ID Application: nobody":                                             "",
		"":                                                                             "",
	} {
		if got := publisherOf(signers); got != want {
			t.Errorf("%q: %q, want %q", signers, got, want)
		}
	}
}

func TestFromUninstall(t *testing.T) {
	t.Parallel()
	const uninstall = `\Microsoft\Windows\CurrentVersion\Uninstall`
	const code = "{90160000-008C-0000-1000-0000000FF1CE}"
	export := "Windows Registry Editor Version 5.00\n" +
		"[HKEY_LOCAL_MACHINE\\SOFTWARE" + uninstall + "]\n" +
		"[HKEY_LOCAL_MACHINE\\SOFTWARE" + uninstall + "\\" + code + "]\n\"DisplayName\"=\" One \"\n\"DisplayVersion\"=\"1.0\"\n" +
		"\"WindowsInstaller\"=dword:1\n\"InstallDate\"=\"20240229\"\n\"EstimatedSize\"=dword:400\n" +
		"[HKEY_LOCAL_MACHINE\\SOFTWARE" + uninstall + "\\" + code + "\\Below]\n\"DisplayName\"=\"Below\"\n" +
		"[HKEY_LOCAL_MACHINE\\SOFTWARE\\WOW6432Node" + uninstall + "\\Two]\n\"DisplayName\"=\"Two\"\n\"InstallDate\"=\"yesterday\"\n" +
		"[HKEY_CURRENT_USER\\Software" + uninstall + "\\Three]\n\"DisplayName\"=\"Three\"\n" +
		"[HKEY_USERS\\S-1-5-18\\Software" + uninstall + "\\System]\n\"DisplayName\"=\"System\"\n" +
		"[HKEY_USERS\\S-1-5-21-1-2-3-4\\Software" + uninstall + "\\Three]\n\"DisplayName\"=\"Three\"\n" +
		"[HKEY_LOCAL_MACHINE\\SOFTWARE" + uninstall + "\\Hidden]\n\"DisplayName\"=\"Hidden\"\n\"SystemComponent\"=dword:1\n" +
		"[HKEY_LOCAL_MACHINE\\SOFTWARE" + uninstall + "\\KB1]\n\"DisplayName\"=\"KB1\"\n\"ParentKeyName\"=\"" + code + "\"\n"
	keys, err := registry.Parse([]byte(export))
	if err != nil {
		t.Fatal(err)
	}
	items, err := FromUninstall(t.Context(), keys)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, item := range items {
		s, _ := item.(*inventoryv1.Software)
		date := ""
		if s.InstallDate != nil {
			date = s.InstallDate.AsTime().Format("2006-01-02")
		}
		got = append(got, s.Source+"|"+s.Name+"|"+s.Version+"|"+s.Arch+"|"+s.Scope+"|"+date)
	}
	want := []string{"msi|One|1.0|||2024-02-29", "registry|Hidden||||", "registry|Two||x86||", "registry|Three|||user|"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("programs (-want +got):\n%s", diff)
	}
	if _, err := FromUninstall(t.Context(), nil); err == nil {
		t.Error("no error of an export without Uninstall keys")
	}
}

// FuzzMac reads everything that macOS has of software from the same bytes.
func FuzzMac(f *testing.F) {
	f.Add([]byte(`{"time": 1722991679, "arch": "arm64"}`))
	f.Add([]byte(`{ PackageIdentifier = a; PackageVersion = "1"; CFBundleShortVersionString = "2"; }`))
	f.Add([]byte(`{"SPApplicationsDataType":[{"_name":"a","path":"/a","arch_kind":"arch_arm","signed_by":["Developer ID Application: A (ABCDE12345)"]}]}`))
	f.Add([]byte("\xCA\xFE\xBA\xBE\x00\x00\x00\x01\x01\x00\x00\x07"))
	f.Fuzz(func(t *testing.T, data []byte) {
		item := &inventoryv1.Software{}
		_ = readBrew(data, item)
		if _, err := proto.Marshal(item); err != nil {
			t.Error(err)
		}
		machArch(data)
		publisherOf(string(data))
		var info bundleInfo
		_ = plist.Unmarshal(data, &info)
		if item, err := parseReceipt(data); err == nil {
			if err := item.GetInstallDate().CheckValid(); item.InstallDate != nil && err != nil {
				t.Error(err)
			}
		}
		if report, err := profiler.Parse(data); err == nil {
			_, _ = FromProfile(report)
		}
		if keys, err := registry.Parse(data); err == nil {
			_, _ = FromUninstall(t.Context(), keys)
		}
	})
}
