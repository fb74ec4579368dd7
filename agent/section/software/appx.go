package software

import (
	"context"
	"encoding/xml"
	"errors"
	"io/fs"
	"maps"
	"slices"
	"strings"

	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/musterhq/muster/agent/host"
	inventoryv1 "github.com/musterhq/muster/proto/muster/inventory/v1"
)

// Registry keys of MSIX packages. In the store a subkey has a package's full name; below a SID are
// the packages of one person.
const (
	appxStore    = `HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\Appx\AppxAllUserStore`
	appxFamilies = `_Classes\Local Settings\Software\Microsoft\Windows\CurrentVersion\AppModel\Repository\Families`
	appxPackages = `_Classes\Local Settings\Software\Microsoft\Windows\CurrentVersion\AppModel\Repository\Packages`
)

// appx is an MSIX package and where the registry has it.
type appx struct {
	packageName
	full        string
	path        string   // of its manifest, or of its folder
	provisioned bool     // for every person
	inbox       bool     // part of Windows
	installed   []string // SIDs
}

// packageName is a package's full name, Name_Version_Arch_ResourceID_PublisherID (Microsoft,
// "Package identity").
type packageName struct{ name, version, arch, resource, publisher string }

func parsePackageName(full string) (p packageName, ok bool) {
	f := strings.Split(full, "_")
	if len(f) != 5 || f[0] == "" || f[1] == "" || len(f[4]) != 13 {
		return p, false
	}
	return packageName{f[0], f[1], strings.ToLower(f[2]), f[3], f[4]}, true
}

func (p packageName) family() string { return p.name + "_" + p.publisher }

// bundle reports whether the package contains packages for several architectures.
func (p packageName) bundle() bool { return p.resource == "~" }

// collectAppx adds the MSIX packages of the machine: those that Windows installs for every person,
// and those of persons. Parts with languages and images of other packages are left out.
func collectAppx(ctx context.Context, h *host.Host, l *list) error {
	store, err := h.RegistryKey(appxStore)
	if errors.Is(err, host.ErrUnsupported) || errors.Is(err, fs.ErrNotExist) { // before Windows 8
		return errAbsent
	}
	if err != nil {
		return err
	}
	s := appxReader{host: h, packages: map[string]*appx{}}
	errs := []error{
		s.read(appxStore+`\Applications`, func(a *appx) { a.provisioned = true }),
		s.read(appxStore+`\InboxApplications`, func(a *appx) { a.provisioned, a.inbox = true, true }),
	}
	for _, sid := range store.SubKeys {
		if strings.HasPrefix(sid, "S-1-") {
			errs = append(errs, s.read(appxStore+`\`+sid, func(a *appx) { a.installed = append(a.installed, sid) }))
		}
	}
	for _, a := range s.current() {
		if err := ctx.Err(); err != nil {
			return errors.Join(append(errs, err)...)
		}
		if item := s.describe(a); item != nil {
			l.items = append(l.items, item)
		}
	}
	return errors.Join(errs...)
}

type appxReader struct {
	host     *host.Host
	packages map[string]*appx // by full name
}

func (s appxReader) read(path string, mark func(*appx)) error {
	key, err := s.host.RegistryKey(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	for _, full := range key.SubKeys {
		name, ok := parsePackageName(full)
		if !ok || strings.HasPrefix(name.resource, "split.") {
			continue
		}
		a := s.packages[full]
		if a == nil {
			a = &appx{packageName: name, full: full}
			s.packages[full] = a
		}
		mark(a)
		if entry, err := s.host.RegistryKey(path + `\` + full); err == nil && a.path == "" {
			a.path = entry.Text("Path")
		}
	}
	return nil
}

// current returns the packages, sorted by name. It leaves out a bundle if the registry also has the
// package that Windows chose from it.
func (s appxReader) current() []*appx {
	chosen := map[string]bool{}
	for _, a := range s.packages {
		if !a.bundle() {
			chosen[a.family()] = true
		}
	}
	var list []*appx
	for _, full := range slices.Sorted(maps.Keys(s.packages)) {
		if a := s.packages[full]; !a.bundle() || !chosen[a.family()] {
			list = append(list, a)
		}
	}
	return list
}

// describe returns nil for a package with resources of another package.
func (s appxReader) describe(a *appx) *inventoryv1.Software {
	properties := s.manifest(a.path)
	if properties.Resource {
		return nil
	}
	item := &inventoryv1.Software{
		Source:            "msix",
		Name:              a.name,
		Version:           a.version,
		Arch:              a.arch,
		Publisher:         line(properties.Publisher),
		PackageFamilyName: a.family(),
		IsSystemComponent: a.inbox || properties.Framework,
	}
	if name := line(properties.Name); name != "" && !isReference(name) {
		item.Name = name
	}
	if item.Publisher == "" || isReference(item.Publisher) {
		item.Publisher = publishers[a.publisher]
	}
	if !a.provisioned {
		item.Scope = userScope
	}
	s.fromUsers(a, item)
	return item
}

// fromUsers adds what the parts of the registry of the persons who have the package know.
func (s appxReader) fromUsers(a *appx, item *inventoryv1.Software) {
	for _, sid := range a.installed {
		known, err := s.host.RegistryKey(`HKU\` + sid + appxPackages + `\` + a.full)
		if err == nil && item.Name == a.name {
			if name := line(known.Text("DisplayName")); name != "" && !isReference(name) {
				item.Name = name
			}
		}
		family, err := s.host.RegistryKey(`HKU\` + sid + appxFamilies + `\` + a.family() + `\` + a.full)
		if err != nil {
			continue
		}
		ticks, _ := family.Number("InstallTime")
		at := host.FileTime(ticks)
		if !at.IsZero() && (item.InstallDate == nil || at.Before(item.InstallDate.AsTime())) {
			item.InstallDate = timestamppb.New(at)
		}
	}
}

// isReference reports whether a text names a resource of a package, which has a text per language.
func isReference(text string) bool {
	return strings.HasPrefix(text, "@") || strings.HasPrefix(strings.ToLower(text), "ms-resource:")
}

// publishers are the publisher IDs of Microsoft. An ID is a hash of the name in the certificate
// that signs the package, so it identifies the publisher.
var publishers = map[string]string{"8wekyb3d8bbwe": "Microsoft Corporation", "cw5n1h2txyewy": "Microsoft Corporation"}

// properties are an element of a package's manifest (Microsoft, "Package manifest schema
// reference").
type properties struct {
	Name      string `xml:"DisplayName"`
	Publisher string `xml:"PublisherDisplayName"`
	Framework bool   `xml:"Framework"`
	Resource  bool   `xml:"ResourcePackage"`
}

// maxManifest bounds a manifest, in bytes.
const maxManifest = 1 << 20

// manifest returns nothing if the manifest cannot be read, as in an account without rights.
func (s appxReader) manifest(path string) properties {
	path = strings.ReplaceAll(path, `\`, "/")
	if !strings.HasSuffix(strings.ToLower(path), ".xml") {
		path += "/AppxManifest.xml"
	}
	if len(path) < 3 || path[1] != ':' { // only a path on a drive
		return properties{}
	}
	data, err := s.host.ReadFile(path, maxManifest)
	if err != nil {
		return properties{}
	}
	return parseManifest(data)
}

// parseManifest reads up to the properties, which are near the beginning.
func parseManifest(data []byte) (p properties) {
	decoder := xml.NewDecoder(strings.NewReader(string(data)))
	for depth := 0; ; {
		token, err := decoder.Token()
		if err != nil {
			return properties{}
		}
		switch element := token.(type) {
		case xml.StartElement:
			if depth == 1 && element.Name.Local == "Properties" {
				if decoder.DecodeElement(&p, &element) != nil {
					return properties{}
				}
				return p
			}
			depth++
		case xml.EndElement:
			depth--
		}
	}
}
