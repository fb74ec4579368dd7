package software

import (
	"testing"

	"github.com/package-url/packageurl-go"
	"pgregory.net/rapid"
)

// TestPURLAsTheLibrary compares the URLs with those of the Go reference library, for any text.
func TestPURLAsTheLibrary(t *testing.T) {
	t.Parallel()
	kinds := []purlKind{purlDeb, purlRPM, purlAPK, purlALPM}
	rapid.Check(t, func(t *rapid.T) {
		kind := rapid.SampledFrom(kinds).Draw(t, "kind")
		name := rapid.StringN(1, 20, -1).Draw(t, "name")
		version := rapid.StringMatching(`[0-9A-Za-z.+~^_%/@?#&= é-]{1,12}`).Draw(t, "version")
		epoch := rapid.StringMatching(`[0-9]{0,2}`).Draw(t, "epoch")
		arch := rapid.StringMatching(`[a-z0-9_ &]{0,8}`).Draw(t, "arch")
		r := release{
			id:       rapid.StringMatching(`[a-zA-Z0-9._-]{1,8}`).Draw(t, "id"),
			version:  rapid.StringMatching(`[0-9.]{0,6}`).Draw(t, "release"),
			codename: rapid.StringMatching(`[a-z]{0,5}`).Draw(t, "codename"),
		}
		qualifiers := map[string]string{"arch": arch, "distro": r.distro(kind.codename, kind.releaseParts), "epoch": ""}
		if kind.releaseParts == 0 {
			qualifiers["distro"] = ""
		}
		written := version
		if epoch != "" {
			written = epoch + ":" + version
		}
		if kind.epoch {
			qualifiers["epoch"] = epoch
		} else {
			version = written
		}
		want := packageurl.NewPackageURL(kind.name, r.id, name, version, packageurl.QualifiersFromMap(qualifiers), "")
		if err := want.Normalize(); err != nil {
			t.Skip(err)
		}
		if kind.lowerName && !ascii(name) {
			t.Skip("package names are ASCII; what capital letters others have does not matter")
		}
		got := string(kind.appendPURL(nil, r, []byte(name), []byte(written), []byte(arch)))
		if got != want.ToString() {
			t.Errorf("got  %s\nwant %s", got, want.ToString())
		}
	})
}

func ascii(s string) bool {
	for i := range len(s) {
		if s[i] >= 0x80 {
			return false
		}
	}
	return true
}

func TestPURL(t *testing.T) {
	t.Parallel()
	debian := release{id: "debian", version: "12", codename: "bookworm"}
	tests := []struct {
		kind                purlKind
		release             release
		name, version, arch string
		want                string
	}{
		{purlDeb, debian, "attr", "1:2.4.47-2+b1", "amd64", "pkg:deb/debian/attr@1:2.4.47-2%2Bb1?arch=amd64&distro=bookworm"},
		{purlDeb, release{id: "ubuntu", version: "24.04"}, "dpkg", "1.22", "", "pkg:deb/ubuntu/dpkg@1.22?distro=ubuntu-24.04"},
		{purlDeb, release{id: "debian"}, "dpkg", "1.22", "amd64", "pkg:deb/debian/dpkg@1.22?arch=amd64"},
		{purlDeb, release{}, "dpkg", "1.22", "amd64", ""},
		{purlDeb, debian, "dpkg", "", "amd64", ""},
		{purlRPM, release{id: "rocky", version: "9.4", codename: "x"}, "Curl", "1:7.76-29.el9_4", "x86_64", "pkg:rpm/rocky/Curl@7.76-29.el9_4?arch=x86_64&distro=rocky-9&epoch=1"},
		{purlAPK, release{id: "alpine", version: "3.19.1"}, "Curl", "8.5-r0", "noarch", "pkg:apk/alpine/curl@8.5-r0?arch=noarch&distro=alpine-3.19"},
	}
	for _, test := range tests {
		got := string(test.kind.appendPURL(nil, test.release, []byte(test.name), []byte(test.version), []byte(test.arch)))
		if got != test.want {
			t.Errorf("got %q, want %q", got, test.want)
		}
	}
}

func BenchmarkPURL(b *testing.B) {
	r := release{id: "debian", version: "12", codename: "bookworm"}
	b.Run("own", func(b *testing.B) {
		b.ReportAllocs()
		var url []byte
		for b.Loop() {
			url = purlDeb.appendPURL(url[:0], r, []byte("libstdc++6"), []byte("12.2.0-14+deb12u1"), []byte("amd64"))
			_ = string(url)
		}
	})
	b.Run("packageurl-go", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			url := packageurl.NewPackageURL("deb", "debian", "libstdc++6", "12.2.0-14+deb12u1",
				packageurl.Qualifiers{{Key: "arch", Value: "amd64"}, {Key: "distro", Value: "bookworm"}}, "")
			if err := url.Normalize(); err != nil {
				b.Fatal(err)
			}
			_ = url.ToString()
		}
	})
}
