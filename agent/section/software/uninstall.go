package software

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"regexp"
	"strconv"
	"strings"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/musterhq/muster/agent/host"
	"github.com/musterhq/muster/agent/section/registry"
	inventoryv1 "github.com/musterhq/muster/proto/muster/inventory/v1"
)

// Registry keys of programs. The keys of 32-bit programs are in another part of the registry.
const (
	uninstallKey      = `Microsoft\Windows\CurrentVersion\Uninstall`
	machineSoftware   = `HKLM\SOFTWARE\`
	machineSoftware32 = `HKLM\SOFTWARE\WOW6432Node\`
	environmentKey    = `HKLM\SYSTEM\CurrentControlSet\Control\Session Manager\Environment`
)

// userScope is the value of the field scope for a program that a person installed without the
// rights of an administrator. The field is empty for the machine's programs.
const userScope = "user"

// uninstallList is one list of programs in the registry.
type uninstallList struct {
	path  string
	arch  string
	scope string
}

// collectUninstall adds the programs that are registered for removal: those of the machine, and
// those of each person whose part of the registry is loaded, which is who is logged on.
func collectUninstall(ctx context.Context, h *host.Host, l *list) error {
	if _, err := h.RegistryKey(`HKLM\SOFTWARE`); errors.Is(err, host.ErrUnsupported) {
		return errAbsent
	}
	native := nativeArch(h.RegistryKey)
	lists := []uninstallList{{path: machineSoftware + uninstallKey, arch: native}}
	if native != archX86 {
		lists = append(lists, uninstallList{path: machineSoftware32 + uninstallKey, arch: archX86})
	}
	users, err := loadedUsers(h)
	for _, user := range users { // both kinds of programs of a person are in one list
		lists = append(lists, uninstallList{path: `HKU\` + user + `\Software\` + uninstallKey, scope: userScope})
	}
	errs := []error{err}
	u := newUninstall(h.RegistryKey, l)
	for _, from := range lists {
		errs = append(errs, u.read(ctx, from))
	}
	errs = append(errs, u.broken.err("unreadable programs"))
	return errors.Join(errs...)
}

// exportedList matches the path of a list of programs, or of a program, in a registry export.
var exportedList = regexp.MustCompile(`(?i)^((.+?)\\Microsoft\\Windows\\CurrentVersion\\Uninstall)(?:\\|$)`)

// FromUninstall returns the programs that the Uninstall keys of a registry export describe.
func FromUninstall(ctx context.Context, keys []registry.Key) ([]proto.Message, error) {
	lookUp := registry.Tree(keys).Key
	native := nativeArch(lookUp)
	var lists []uninstallList
	seen := map[string]bool{}
	for _, key := range keys {
		match := exportedList.FindStringSubmatch(key.Path)
		if match == nil || seen[strings.ToLower(match[1])] {
			continue
		}
		seen[strings.ToLower(match[1])] = true
		if from, ok := exported(match[1], strings.Split(match[2], `\`), native); ok {
			lists = append(lists, from)
		}
	}
	if len(lists) == 0 {
		return nil, fmt.Errorf("the export has no Uninstall key: %w", host.ErrUnsupported)
	}
	l := newList(release{})
	u := newUninstall(lookUp, l)
	var errs []error
	for _, from := range lists {
		errs = append(errs, u.read(ctx, from))
	}
	errs = append(errs, u.broken.err("unreadable programs"))
	return l.items, errors.Join(errs...)
}

// exported describes a list of an export by the names of the keys above it. The second result is
// false for a list of an account that is not a person's.
func exported(path string, above []string, native string) (uninstallList, bool) {
	from := uninstallList{path: path}
	switch root := strings.ToUpper(above[0]); {
	case root == "HKLM":
		from.arch = native
	case root != "HKU" || len(above) > 1 && isPerson(above[1]):
		from.scope = userScope
	default:
		return from, false
	}
	if strings.EqualFold(above[len(above)-1], "WOW6432Node") {
		from.arch = archX86
	}
	return from, true
}

// lookUpKey returns a registry key, as host.Registry does.
type lookUpKey func(path string) (host.RegistryKey, error)

// uninstall is the state of one reading of the lists.
type uninstall struct {
	key      lookUpKey
	list     *list
	editions map[string]string // of SQL Server, by version
	seen     map[string]bool   // programs of persons, because several may have the same
	broken   damage
}

func newUninstall(key lookUpKey, l *list) *uninstall {
	return &uninstall{key: key, list: l, editions: databaseEditions(key), seen: map[string]bool{}}
}

func (u *uninstall) read(ctx context.Context, from uninstallList) error {
	key, err := u.key(from.path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	for _, name := range key.SubKeys {
		if err := ctx.Err(); err != nil {
			return err
		}
		program, err := u.key(from.path + `\` + name)
		if errors.Is(err, fs.ErrNotExist) { // it was removed meanwhile
			continue
		}
		if err != nil {
			u.broken.add(err)
			continue
		}
		if item := programOf(name, program); item != nil {
			item.Arch, item.Scope = from.arch, from.scope
			u.add(item)
		}
	}
	return nil
}

func (u *uninstall) add(item *inventoryv1.Software) {
	if strings.Contains(item.Name, "SQL Server") && item.Version != "" {
		item.Edition = u.editions[item.Version]
	}
	if item.Scope == userScope {
		item.InstallLocation = "" // it contains the name of the person
		id := item.Source + "\x00" + item.Name + "\x00" + item.Arch + "\x00" + item.Version
		if u.seen[id] {
			return
		}
		u.seen[id] = true
	}
	u.list.items = append(u.list.items, item)
}

// programOf describes a program (Microsoft, "Uninstall Registry Key"). It returns nil for an entry
// that Windows would not list either because it has no name, and for an update of another program.
func programOf(name string, key host.RegistryKey) *inventoryv1.Software {
	item := &inventoryv1.Software{
		Source:          "registry",
		Name:            line(key.Text("DisplayName")),
		Version:         line(key.Text("DisplayVersion")),
		Publisher:       line(key.Text("Publisher")),
		InstallLocation: strings.Trim(line(key.Text("InstallLocation")), `"`),
	}
	if item.Name == "" || isUpdate(key) {
		return nil
	}
	if set, _ := key.Number("WindowsInstaller"); set == 1 && isGUID(name) {
		item.Source, item.ProductCode = "msi", strings.ToUpper(name)
		if packed, ok := key.Number("Version"); ok && item.Version == "" {
			item.Version = msiVersion(packed)
		}
	}
	if set, _ := key.Number("SystemComponent"); set == 1 {
		item.IsSystemComponent = true
	}
	if installed, precision := installDate(key); !installed.IsZero() {
		item.InstallDate, item.InstallDatePrecision = timestamppb.New(installed), precision
	}
	if kibibytes, ok := key.Number("EstimatedSize"); ok && kibibytes > 0 && kibibytes < 1<<32 {
		item.SizeBytes = proto.Uint64(kibibytes * 1024)
	}
	return item
}

// line returns a text as one line of valid UTF-8 without control characters.
func line(text string) string {
	text = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(text, "\uFFFD"))
	return strings.TrimSpace(text)
}

// isUpdate reports whether an entry is an update of another program.
func isUpdate(key host.RegistryKey) bool {
	if key.Text("ParentKeyName") != "" {
		return true
	}
	switch strings.ToLower(key.Text("ReleaseType")) {
	case "update", "update rollup", "security update", "hotfix", "service pack":
		return true
	default:
		return false
	}
}

// isGUID reports whether a text has the form {8-4-4-4-12} of hexadecimal digits.
func isGUID(text string) bool {
	if len(text) != 38 || text[0] != '{' || text[37] != '}' {
		return false
	}
	for i, c := range []byte(text[1:37]) {
		dash := i == 8 || i == 13 || i == 18 || i == 23
		if dash != (c == '-') || !dash && !strings.ContainsRune("0123456789abcdefABCDEF", rune(c)) {
			return false
		}
	}
	return true
}

// msiVersion unpacks a version: 8 bits major, 8 bits minor, 16 bits build (Microsoft,
// "ProductVersion property").
func msiVersion(packed uint64) string {
	if packed == 0 || packed > 1<<32-1 {
		return ""
	}
	return fmt.Sprintf("%d.%d.%d", packed>>24, packed>>16&0xff, packed&0xffff)
}

// installDate returns when a program was installed, and the precision of that. Windows Installer
// writes a local date; other installers write what they like, of which only the unambiguous forms
// are read.
func installDate(key host.RegistryKey) (at time.Time, precision string) {
	if seconds, ok := key.Number("InstallDate"); ok {
		return plausible(time.Unix(int64(min(seconds, 1<<33)), 0)), ""
	}
	text := key.Text("InstallDate")
	for _, layout := range []string{"20060102", "2006-01-02"} {
		if day, err := time.Parse(layout, text); err == nil {
			return plausible(day), "day"
		}
	}
	if seconds, err := strconv.ParseInt(text, 10, 64); err == nil && len(text) == len("1700000000") {
		return plausible(time.Unix(seconds, 0)), ""
	}
	return time.Time{}, ""
}

// plausible returns the zero time for a date before Windows 95 or after 2100.
func plausible(at time.Time) time.Time {
	if at.Year() < 1995 || at.Year() > 2100 {
		return time.Time{}
	}
	return at
}

// Architectures, by Microsoft's names.
const (
	archX86 = "x86"
	archX64 = "x64"
)

// nativeArch returns the architecture of the programs in the machine's first list. It is empty on
// ARM64, where that list has programs of two architectures.
func nativeArch(lookUp lookUpKey) string {
	key, err := lookUp(environmentKey)
	if err != nil {
		return ""
	}
	switch strings.ToLower(key.Text("PROCESSOR_ARCHITECTURE")) {
	case "amd64":
		return archX64
	case "x86":
		return archX86
	default:
		return ""
	}
}

// loadedUsers returns the SIDs of the persons whose part of the registry is loaded.
func loadedUsers(h *host.Host) ([]string, error) {
	root, err := h.RegistryKey(`HKU`)
	if err != nil {
		return nil, err
	}
	var users []string
	for _, sid := range root.SubKeys {
		if isPerson(sid) {
			users = append(users, sid)
		}
	}
	return users, nil
}

// isPerson reports whether a key of HKU belongs to an account of the machine, of a domain or of
// Entra ID.
func isPerson(sid string) bool {
	account := strings.HasPrefix(sid, "S-1-5-21-") || strings.HasPrefix(sid, "S-1-12-1-")
	return account && !strings.HasSuffix(sid, "_Classes")
}

// databaseEditions returns the editions of the instances of SQL Server by their versions. The list
// of programs does not have them, and licenses depend on them.
func databaseEditions(lookUp lookUpKey) map[string]string {
	const root = machineSoftware + `Microsoft\Microsoft SQL Server\`
	instances, err := lookUp(root + `Instance Names\SQL`)
	if err != nil {
		return nil
	}
	editions := map[string]string{}
	for name := range instances.Values {
		setup, err := lookUp(root + instances.Text(name) + `\Setup`)
		edition := line(setup.Text("Edition"))
		if err != nil || edition == "" {
			continue
		}
		for _, version := range []string{setup.Text("Version"), setup.Text("PatchLevel")} {
			if other, seen := editions[version]; seen && other != edition {
				edition = "" // two instances of one version and different editions
			}
			editions[version] = edition
		}
	}
	return editions
}
