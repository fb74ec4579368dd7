package software

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/testing/protocmp"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/musterhq/muster/agent/host"
	"github.com/musterhq/muster/agent/section/hosttest"
	inventoryv1 "github.com/musterhq/muster/proto/muster/inventory/v1"
)

// bySource returns the items of one source. The times of files are cleared, because the trees of
// tests are new.
func bySource(t *testing.T, h *host.Host, source string, keepTimes bool) ([]*inventoryv1.Software, error) {
	t.Helper()
	messages, err := Collector().Collect(t.Context(), h)
	var items []*inventoryv1.Software
	for _, m := range messages {
		if item := m.(*inventoryv1.Software); item.Source == source {
			if !keepTimes {
				item.InstallDate = nil
			}
			items = append(items, item)
		}
	}
	return items, err
}

// pacmanCorpus copies the recorded database into a tree of Arch Linux.
func pacmanCorpus(t *testing.T) map[string]string {
	t.Helper()
	local := hosttest.Corpus(t, "packages", "pacman", "syft", "var", "lib", "pacman", "local")
	files := map[string]string{
		"/etc/os-release": "ID=arch\n", pacmanLocal + "/ALPM_DB_VERSION": "9\n",
	}
	entries, err := os.ReadDir(local)
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		data, err := os.ReadFile(filepath.Join(local, entry.Name(), "desc"))
		if err != nil {
			t.Fatal(err)
		}
		files[pacmanLocal+"/"+entry.Name()+"/desc"] = string(data)
	}
	return files
}

// TestPacmanCorpus: one of the recorded packages is damaged. It is reported, and the others are
// kept.
func TestPacmanCorpus(t *testing.T) {
	t.Parallel()
	got, err := bySource(t, hosttest.Tree(t, pacmanCorpus(t)), "pacman", true)
	if err == nil || !strings.Contains(err.Error(), "corrupt-0.2.1-3") {
		t.Errorf("error %v", err)
	}
	i := slices.IndexFunc(got, func(s *inventoryv1.Software) bool { return s.Name == "emacs" })
	want := &inventoryv1.Software{
		Source: "pacman", Name: "emacs", Version: "29.3-3", Arch: "x86_64", Publisher: "Frederik Schwan <freswa@archlinux.org>",
		Purl: "pkg:alpm/arch/emacs@29.3-3?arch=x86_64", SizeBytes: proto.Uint64(126427862),
		InstallDate: &timestamppb.Timestamp{Seconds: 1715026363},
	}
	if len(got) != 5 || i < 0 {
		t.Fatalf("%d packages: %v", len(got), got)
	}
	if diff := cmp.Diff(want, got[i], protocmp.Transform()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestPacmanIncomplete(t *testing.T) {
	t.Parallel()
	got, err := bySource(t, hosttest.Tree(t, map[string]string{
		pacmanLocal + "/removed-1-1/": "",
		pacmanLocal + "/zlib-1-1/desc": "%NAME%\nzlib\n\n%VERSION%\n1:1.3.1-2\n\n%PACKAGER%\nUnknown Packager\n\n%SIZE%\n-1\n\n" +
			"%INSTALLDATE%\nyesterday\n",
	}), "pacman", true)
	if err == nil {
		t.Error("no error for a package without desc")
	}
	want := []*inventoryv1.Software{{Source: "pacman", Name: "zlib", Version: "1:1.3.1-2"}}
	if diff := cmp.Diff(want, got, protocmp.Transform()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestSnap(t *testing.T) {
	t.Parallel()
	yaml := func(name string) string {
		data, err := os.ReadFile(hosttest.Corpus(t, "packages", "snap", "scalibr", name))
		if err != nil {
			t.Fatal(err)
		}
		return string(data)
	}
	got, err := bySource(t, hosttest.Tree(t, map[string]string{
		"/snap/README": "x", "/snap/bin/core": "x",
		"/snap/core/current": "-> 17200", "/snap/core/17200/meta/snap.yaml": yaml("single-arch.yaml"),
		"/snap/core/17100/meta/snap.yaml": yaml("invalid"),
		"/snap/two/current":               "-> 1", "/snap/two/1/meta/snap.yaml": yaml("multi-arch.yaml"),
		"/snap/unknown/current": "-> x1", "/snap/unknown/x1/meta/snap.yaml": yaml("missing-version.yaml"),
		"/snap/firefox/current":          "-> 4173", // not mounted
		snapFiles + "/core_17200.snap":   "12345",
		snapFiles + "/firefox_4173.snap": "1",
		"/snap/quoted/current":           "-> 2",
		"/snap/quoted/2/meta/snap.yaml":  "name: quoted\nversion: '1.10' \narchitectures:\n  - all\napps:\n  version: no\n",
		snapAssertions + "/snap-declaration/16/99T7MUlRhtI3U0QFgl5mXXESAiSwt776/active": "type: snap-declaration\n" +
			"publisher-id: canonical\nsnap-name: core\n\nbody\nsnap-name: wrong\n",
		snapAssertions + "/account/canonical/active.1": "type: account\ndisplay-name: Canonical\nusername: canonical\n\nAcLBUgQA\n",
	}), "snap", false)
	if err != nil {
		t.Error(err)
	}
	want := []*inventoryv1.Software{
		{
			Source: "snap", Name: "core", Version: "16-2.61.4-20240607", Arch: "amd64", Publisher: "Canonical",
			SizeBytes: proto.Uint64(5),
		},
		{Source: "snap", Name: "firefox", SizeBytes: proto.Uint64(1)},
		{Source: "snap", Name: "quoted", Version: "1.10", Arch: "all"},
		{Source: "snap", Name: "two", Version: "16-2.61.4-20240607"},
		{Source: "snap", Name: "unknown", Arch: "amd64"},
	}
	if diff := cmp.Diff(want, got, protocmp.Transform()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestFlatpak(t *testing.T) {
	t.Parallel()
	xml, err := os.ReadFile(hosttest.Corpus(t, "packages", "flatpak", "scalibr", "valid.xml"))
	if err != nil {
		t.Fatal(err)
	}
	const (
		gimp    = flatpakSystem + "/app/org.gimp.GIMP/x86_64/stable/"
		runtime = flatpakSystem + "/runtime/org.freedesktop.Platform/x86_64/"
	)
	h := hosttest.Tree(t, map[string]string{
		gimp + "active":        "-> 4f2a",
		gimp + "4f2a/deploy":   "x",
		gimp + "4f2a/metadata": "[Application]\n",
		gimp + "4f2a/files/share/metainfo/org.gimp.GIMP.metainfo.xml": string(xml),
		flatpakSystem + "/app/org.gimp.GIMP/current":                  "-> x86_64/stable",
		flatpakSystem + "/app/org.removed.App/":                       "",
		flatpakSystem + "/app/org.removed.Branch/x86_64/stable/":      "",
		runtime + "23.08/active":                                      "-> 1",
		runtime + "23.08/1/deploy":                                    "x",
		runtime + "24.08/active":                                      "-> 2",
		runtime + "24.08/2/deploy":                                    "x",
	})
	deploy, err := h.Path(gimp + "4f2a/deploy")
	if err != nil {
		t.Fatal(err)
	}
	at := time.Unix(1730000000, 0)
	if err := os.Chtimes(deploy, at, at); err != nil {
		t.Fatal(err)
	}
	got, err := bySource(t, h, "flatpak", true)
	if err != nil {
		t.Error(err)
	}
	for _, item := range got[1:] {
		item.InstallDate = nil
	}
	want := []*inventoryv1.Software{
		{
			Source: "flatpak", Name: "org.gimp.GIMP", Version: "2.10.38", Arch: "x86_64", Publisher: "The GIMP team",
			InstallDate: timestamppb.New(at),
		},
		{Source: "flatpak", Name: "org.freedesktop.Platform", Version: "23.08", Arch: "x86_64"},
		{Source: "flatpak", Name: "org.freedesktop.Platform", Version: "24.08", Arch: "x86_64"},
	}
	if diff := cmp.Diff(want, got, protocmp.Transform()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestMetainfo(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, xml, version, developer string }{
		{"AppStream 1.0", `<component><releases/><developer id="org.x"><name xml:lang="de">Ä</name><name>A &amp; B</name></developer>
			<releases type="embedded"><release date='2024-01-01' version='1.2&#46;3'/></releases>`, "1.2.3", "A & B"},
		{"single quotes", `<releases><release date='2024-01-01' version='1.2&#46;3'/></releases>`, "1.2.3", ""},
		{"new line", "<releases>\n<release\nversion=\"7\"", "", ""},
		{"tag over lines", "<releases>\n<release\ttype=\"stable\"\n version=\"7\">", "7", ""},
		{"translated", `<developer_name xml:lang="de">X</developer_name><developer_name> Y </developer_name>`, "", "Y"},
		{"only translated", `<developer_name xml:lang="de">X</developer_name><name>App</name></developer>`, "", ""},
		{"project license", `<project_license>MIT</project_license><name>App</name>`, "", ""},
	} {
		version, developer := parseMetainfo([]byte(c.xml))
		if version != c.version || developer != c.developer {
			t.Errorf("%s: %q, %q, want %q, %q", c.name, version, developer, c.version, c.developer)
		}
	}
	for name, want := range map[string][2]string{
		"valid.xml": {"2.10.38", "The GIMP team"}, "noname.xml": {"2.10.38", "The GIMP team"}, "noversion.xml": {"", "The GIMP team"},
		"bad.xml": {}, "empty.xml": {},
	} {
		data, err := os.ReadFile(hosttest.Corpus(t, "packages", "flatpak", "scalibr", name))
		if err != nil {
			t.Fatal(err)
		}
		version, developer := parseMetainfo(data)
		if got := [2]string{version, developer}; got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
}

func TestAppImage(t *testing.T) {
	t.Parallel()
	got, err := bySource(t, hosttest.Tree(t, map[string]string{
		"/opt/Obsidian-1.7.4.AppImage":   "\x7fELF\x02\x01\x01\x00AI\x02more",
		"/opt/old.appimage":              "\x7fELF\x01\x01\x01\x00AI\x01",
		"/opt/script.AppImage":           "#!/bin/sh\necho no image\n",
		"/opt/short.AppImage":            "\x7fELF",
		"/opt/.AppImage":                 "\x7fELF\x02\x01\x01\x00AI\x02",
		"/opt/link.AppImage":             "-> old.appimage",
		"/opt/directory.AppImage/AppRun": "x",
	}), "appimage", false)
	if err != nil {
		t.Error(err)
	}
	want := []*inventoryv1.Software{
		{Source: "appimage", Name: "Obsidian-1.7.4", SizeBytes: proto.Uint64(15), InstallLocation: "/opt/Obsidian-1.7.4.AppImage"},
		{Source: "appimage", Name: "old", SizeBytes: proto.Uint64(11), InstallLocation: "/opt/old.appimage"},
	}
	if diff := cmp.Diff(want, got, protocmp.Transform()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestHomes: what people install for themselves has the scope "user" and names nobody.
func TestHomes(t *testing.T) {
	t.Parallel()
	const (
		alice   = "/home/alice"
		flatpak = alice + "/.local/share/flatpak/app/org.gimp.GIMP/x86_64/stable/"
	)
	h := hosttest.Tree(t, map[string]string{
		"/etc/passwd": "root:x:0:0:root:/root:/bin/bash\ndaemon:x:1:1::/opt:/usr/sbin/nologin\n" +
			"alice:x:1000:1000:Alice,,,:/home/alice:/bin/bash\nbob:x:1001:1001::/home/bob:/bin/bash\n" +
			"carol:x:1002:1002::/srv/nfs/carol:/bin/bash\nbroken:x:1003\n",
		"/proc/self/mountinfo": "22 1 8:1 / / rw - ext4 /dev/sda1 rw\n30 22 0:40 / /srv/nfs rw - nfs4 server:/ rw\n",
		flatpak + "active":     "-> 4f2a",
		flatpak + "4f2a/files/share/metainfo/org.gimp.GIMP.metainfo.xml": `<releases><release version="3.0"/></releases>`,
		alice + "/Applications/Obsidian-1.7.4.AppImage":                  "\x7fELF\x02\x01\x01\x00AI\x02",
		alice + "/Applications/notes.txt":                                "x",
		alice + "/bin":                                                   "-> /usr/local/bin",
		"/usr/local/bin/tool.AppImage":                                   "no image",
		"/srv/nfs/carol/bin/Remote.AppImage":                             "\x7fELF\x02\x01\x01\x00AI\x02",
	})
	messages, err := Collector().Collect(t.Context(), h)
	if err != nil {
		t.Error(err)
	}
	want := []proto.Message{
		&inventoryv1.Software{Source: "flatpak", Name: "org.gimp.GIMP", Arch: "x86_64", Scope: "user", Version: "3.0"},
		&inventoryv1.Software{Source: "appimage", Name: "Obsidian-1.7.4", Scope: "user", SizeBytes: proto.Uint64(11)},
	}
	if diff := cmp.Diff(want, messages, protocmp.Transform()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func FuzzPacmanDesc(f *testing.F) {
	f.Add([]byte("%NAME%\nemacs\n\n%VERSION%\n29.3-3\n\n%SIZE%\n126427862\n\n%INSTALLDATE%\n1715026363\n"))
	f.Add([]byte("%NME%\ntree-sitter\n\n%VER.6-1\n%%\n%NAME%\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		l := newList(release{id: "arch"})
		if taken := takePacman(l, data); taken != (len(l.items) == 1) {
			t.Errorf("taken %v, %d items", taken, len(l.items))
		}
		checkList(t, l)
	})
}

func FuzzSnapMeta(f *testing.F) {
	f.Add([]byte("name: core\nversion: 16-2.61.4-20240607\narchitectures:\n- amd64\n"), "version")
	f.Add([]byte("version: '\narchitectures: []\nversion:"), "version")
	f.Fuzz(func(_ *testing.T, data []byte, key string) {
		topScalar(data, key)
		snapArch(data)
	})
}

func FuzzMetainfo(f *testing.F) {
	f.Add([]byte(`<developer_name>The GIMP team</developer_name><releases><release version="2.10.38" date="2024-05-02">`))
	f.Add([]byte(`<developer><name></developer></name><releases<release<release `))
	f.Fuzz(func(_ *testing.T, data []byte) { parseMetainfo(data) })
}
