package patch

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"regexp"
	"slices"
	"strings"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/musterhq/muster/agent/host"
	inventoryv1 "github.com/musterhq/muster/proto/muster/inventory/v1"
)

// Registry keys of updates.
const (
	// servicing has a subkey for each package of Windows, of which the updates are a few.
	servicing = `HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\Component Based Servicing\Packages`
	// installerProducts has the updates of programs that Windows Installer has installed for
	// everyone.
	installerProducts = `HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\Installer\UserData\S-1-5-18\Products`
	currentVersion    = `HKLM\SOFTWARE\Microsoft\Windows NT\CurrentVersion`
)

// collectWindows reads the updates that are installed or become effective with the next start. It
// does not read the history of Windows Update, which is cleared at times and does not know whether
// an update is still installed, nor available updates, whose search takes minutes.
func collectWindows(h *host.Host) ([]proto.Message, error) {
	w := &windowsUpdates{host: h, byID: map[string]*inventoryv1.Patch{}}
	errs := []error{w.packages(), w.ofPrograms()}
	slices.SortFunc(w.items, func(a, b *inventoryv1.Patch) int {
		return cmp.Or(cmp.Compare(a.Source, b.Source), cmp.Compare(a.Id, b.Id))
	})
	items := make([]proto.Message, len(w.items))
	for i, item := range w.items {
		items[i] = item
	}
	return items, errors.Join(errs...)
}

// windowsUpdates is one collection.
type windowsUpdates struct {
	host  *host.Host
	items []*inventoryv1.Patch
	byID  map[string]*inventoryv1.Patch // by source and id
}

// States of a package (Microsoft, PackageState of DISM, in steps of 16).
const (
	uninstallPending = 0x05
	installPending   = 0x60
	installed        = 0x70
	permanent        = 0x80
)

// updatePackage matches the name of a package that is an update as a whole, as in
// "Package_for_KB5031455~31bf3856ad364e35~amd64~~22621.2506.1.2". Parts of an update have a number
// before "for".
var updatePackage = regexp.MustCompile(`(?i)^Package_for_(\w+)~[^~]*~[^~]*~[^~]*~([\d.]+)$`)

func (w *windowsUpdates) packages() error {
	list, err := w.host.RegistryKey(servicing)
	if errors.Is(err, fs.ErrNotExist) { // before Windows Vista
		return nil
	}
	if err != nil {
		return err
	}
	var errs []error
	directory := ""
	if key, err := w.host.RegistryKey(currentVersion); err == nil {
		directory = strings.ReplaceAll(key.Text("SystemRoot"), `\`, "/")
	}
	for _, name := range list.SubKeys {
		match := updatePackage.FindStringSubmatch(name)
		if match == nil {
			continue
		}
		key, err := w.host.RegistryKey(servicing + `\` + name)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			errs = append(errs, err)
		}
		if state := stateOf(key); state != "" {
			item := w.describe(directory, name)
			item.Id = cmp.Or(item.Id, identifier(match[1], match[2]))
			item.Source, item.State, item.Version = "cbs", state, match[2]
			if at := installTime(key); !at.IsZero() && state == "installed" {
				item.InstalledOn = timestamppb.New(at)
			}
			w.add(item)
		}
	}
	return errors.Join(errs...)
}

// stateOf returns "" for a package that is not effective, such as one that another has replaced.
func stateOf(key host.RegistryKey) string {
	state, _ := key.Number("CurrentState")
	switch state {
	case installed, permanent, uninstallPending:
		return "installed"
	case installPending:
		return "reboot"
	default:
		return ""
	}
}

func installTime(key host.RegistryKey) time.Time {
	high, ok1 := key.Number("InstallTimeHigh")
	low, ok2 := key.Number("InstallTimeLow")
	if !ok1 || !ok2 {
		return time.Time{}
	}
	return host.FileTime(high<<32 | low)
}

// identifier returns the number of an update in the knowledge base. The names of cumulative updates
// do not have it: their identifier is the name with the version.
func identifier(name, version string) string {
	if number := knowledgeBase.FindString(name); number != "" {
		return strings.ToUpper(number)
	}
	return name + " " + version
}

var knowledgeBase = regexp.MustCompile(`(?i)KB\d{6,8}`)

// maxManifest bounds the beginning of a package's manifest that is read, in bytes. The attributes
// of the package are in its first 1,000.
const maxManifest = 8 << 10

// packageElement matches the element that describes the package, and its attributes.
var (
	packageElement = regexp.MustCompile(`<package\s[^>]*>`)
	attribute      = regexp.MustCompile(`(\w+)="([^"]*)"`)
)

// describe reads the package's manifest, which has the number also of cumulative updates.
func (w *windowsUpdates) describe(directory, name string) *inventoryv1.Patch {
	item := &inventoryv1.Patch{}
	if directory == "" {
		return item
	}
	// An error means that the file is longer than the buffer, or does not exist.
	text, _ := w.host.ReadInto(directory+"/servicing/Packages/"+name+".mum", make([]byte, maxManifest))
	for _, pair := range attribute.FindAllStringSubmatch(packageElement.FindString(string(text)), -1) {
		switch pair[1] {
		case "identifier":
			item.Id = strings.ToUpper(knowledgeBase.FindString(pair[2]))
		case "releaseType":
			item.Kind = kind(pair[2])
		}
	}
	return item
}

// kind returns "security" for "Security Update", and the names of other types in lower case.
func kind(releaseType string) string {
	return strings.TrimSuffix(strings.ToLower(releaseType), " update")
}

// ofPrograms adds the updates of Windows Installer, such as those of Office.
func (w *windowsUpdates) ofPrograms() error {
	products, err := w.host.RegistryKey(installerProducts)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	errs := []error{err}
	for _, product := range products.SubKeys {
		path := installerProducts + `\` + product + `\Patches`
		patches, err := w.host.RegistryKey(path)
		if err != nil {
			if !errors.Is(err, fs.ErrNotExist) {
				errs = append(errs, err)
			}
			continue
		}
		for _, id := range patches.SubKeys {
			if key, err := w.host.RegistryKey(path + `\` + id); err == nil {
				w.add(ofInstaller(key))
			}
		}
	}
	return errors.Join(errs...)
}

// ofInstaller returns nil for an update that another has replaced, or that has no name.
func ofInstaller(key host.RegistryKey) *inventoryv1.Patch {
	const applied = 1 // MSIPATCHSTATE_APPLIED
	title := key.Text("DisplayName")
	if state, _ := key.Number("State"); state != applied || title == "" {
		return nil
	}
	item := &inventoryv1.Patch{
		Id: strings.ToUpper(knowledgeBase.FindString(title)), Source: "msi", Title: title, State: "installed",
	}
	if item.Id == "" {
		item.Id = title
	}
	if at, err := time.Parse("20060102", key.Text("Installed")); err == nil {
		item.InstalledOn = timestamppb.New(at)
	}
	return item
}

// add adds an update once. One with several packages is installed if one of them is; its date is
// that of the latest.
func (w *windowsUpdates) add(item *inventoryv1.Patch) {
	if item == nil {
		return
	}
	key := fmt.Sprint(item.Source, " ", item.Id)
	known := w.byID[key]
	if known == nil {
		w.byID[key] = item
		w.items = append(w.items, item)
		return
	}
	if item.State == "installed" {
		known.State = item.State
	}
	if item.InstalledOn.AsTime().After(known.InstalledOn.AsTime()) && item.InstalledOn != nil {
		known.InstalledOn, known.Version = item.InstalledOn, item.Version
	}
}
