package identify

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/musterhq/muster/internal/inventory"
)

const (
	maxIdentifier = 255 // in bytes, because identifiers are indexed
	maxScope      = 64  // in bytes
)

// Patterns that are not rejects of the rules.
const (
	patternContainer = "container" // the hardware is the host's
	patternVirtual   = "virtual"
	patternRemovable = "removable"
	patternRepeated  = "repeats-serial" // it repeats the system's serial number, which counts once
	patternTooLong   = "too-long"
)

// Normalize returns the identifiers in their one form, and what it rejected by which pattern, both
// sorted. A pattern is the id of a reject of the rules, or one of: empty, malformed, too-long,
// virtual, removable, repeats-serial, container.
func (r *Rules) Normalize(ids inventory.RawIdentifiers) ([]inventory.Identifier, []inventory.Rejection) {
	t := normalizer{rules: r, contained: ids.Container != ""}
	t.system(ids)
	for _, i := range ids.Interfaces {
		t.card(i)
	}
	for _, d := range ids.Disks {
		t.disk(d)
	}
	t.installation(ids)
	slices.Sort(t.identifiers)
	slices.SortFunc(t.rejected, compareRejections)
	return slices.Compact(t.identifiers), slices.Compact(t.rejected)
}

func compareRejections(a, b inventory.Rejection) int {
	return cmp.Or(
		cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Value, b.Value),
		cmp.Compare(a.Pattern, b.Pattern), cmp.Compare(a.Host, b.Host),
	)
}

// patternScientific is the reject of numbers that a spreadsheet has rounded.
const patternScientific = "serial/scientific"

// Damaged returns a warning for each rejected value that was genuine before a spreadsheet changed
// it, for the person who can correct the list.
func Damaged(rejected []inventory.Rejection) []string {
	var warnings []string
	for _, rejection := range rejected {
		if rejection.Pattern == patternScientific {
			warnings = append(warnings, fmt.Sprintf(
				"%s is what a spreadsheet left of a longer number: it identifies nothing; "+
					"format the column as text and enter the number again", rejection.Value))
		}
	}
	return warnings
}

// IsBlockingKey reports whether records that share an identifier become candidates. Names are
// excluded, because many machines share one.
func IsBlockingKey(t inventory.Identifier) bool {
	k := kindOf(t)
	return k >= 0 && k != kindName
}

// kindOf returns the kind of an identifier; -1: unknown.
func kindOf(t inventory.Identifier) int {
	name, _, ok := strings.Cut(string(t), ":")
	if !ok {
		return -1
	}
	return slices.Index(kindNames[:], name)
}

// normalizer collects the identifiers of one source record.
type normalizer struct {
	rules       *Rules
	contained   bool // in a container, whose visible hardware is the host's
	identifiers []inventory.Identifier
	rejected    []inventory.Rejection
}

// hardware reports whether a kind identifies hardware, which a container does not have.
func hardware(k int) bool { return k != kindOS && k != kindNative && k != kindName }

func (t *normalizer) take(k int, raw, scope, value string) {
	identifier := inventory.Identifier(kindNames[k] + ":" + scope + "|" + value)
	switch {
	case len(identifier) > maxIdentifier:
		t.refuse(k, raw, patternTooLong)
	case t.contained && hardware(k):
		t.rejected = append(t.rejected, inventory.Rejection{
			Kind: kindNames[k], Value: plain(raw), Pattern: patternContainer, Host: identifier,
		})
	default:
		t.identifiers = append(t.identifiers, identifier)
	}
}

func (t *normalizer) refuse(k int, raw, pattern string) {
	t.rejected = append(t.rejected, inventory.Rejection{Kind: kindNames[k], Value: plain(raw), Pattern: pattern})
}

// plain returns a reported value as valid, bounded text with single spaces.
func plain(raw string) string {
	return bound(spaced(raw), maxIdentifier)
}

// bound cuts a string to at most n bytes, between characters.
func bound(s string, n int) string {
	if len(s) <= n {
		return s
	}
	return strings.ToValidUTF8(s[:n], "")
}

// accept returns a folded value if it is honest. It rejects any other, except for an empty one:
// unknown is not an identifier.
func (t *normalizer) accept(k int, raw string) (string, bool) {
	folded := fold(raw)
	pattern := t.rules.rejectPattern(kindNames[k], folded)
	if pattern != "" && pattern != patternEmpty {
		t.refuse(k, raw, pattern)
	}
	return folded, pattern == ""
}

func (t *normalizer) system(ids inventory.RawIdentifiers) {
	maker := t.rules.scope(ids.Manufacturer)
	system := t.uuid(ids.UUID, ids.UUID)
	serial, ok := t.serial(maker, ids.SerialNumber, system)
	chassisMaker := t.rules.scope(ids.ChassisManufacturer)
	if !ok && maker != "" && maker == chassisMaker && serialOnChassis(maker) {
		serial, _ = t.serial(maker, ids.ChassisSerial, system)
	}
	if value, ok := t.accept(kindTPM, ids.TPM); ok {
		t.take(kindTPM, ids.TPM, "", value)
	}
	if value, ok := t.accept(kindUnit, ids.UnitNumber); ok {
		t.take(kindUnit, ids.UnitNumber, maker, strings.Join(append(words(ids.Model), value), " "))
	}
	t.component(kindBoard, t.rules.scope(ids.BoardManufacturer), ids.BoardSerial, serial)
	t.component(kindChassis, chassisMaker, ids.ChassisSerial, serial)
}

// uuid adds a UUID and returns its one form; raw is the reported value.
func (t *normalizer) uuid(value, raw string) string {
	form, pattern := t.rules.checkUUID(fold(value))
	switch pattern {
	case "":
		t.take(kindUUID, raw, "", form)
	case patternEmpty:
	default:
		t.refuse(kindUUID, raw, pattern)
	}
	return form
}

// serial adds a serial number unless it repeats the system's UUID, and reports whether there is
// one.
func (t *normalizer) serial(maker, raw, system string) (string, bool) {
	value, ok := t.accept(kindSerial, raw)
	if !ok {
		return "", false
	}
	if u, ok := serialUUID(value); ok {
		t.uuid(u, raw)
		return "", true
	}
	if u, ok := parseUUID(value); ok && canonical(u).String() == system {
		return "", true
	}
	if maker != "" {
		t.take(kindSerial, raw, maker, value)
	}
	if !t.contained || maker == "" { // a container's serial number is rejected only once
		t.take(kindSerialUnscoped, raw, "", value)
	}
	return value, true
}

// component adds the serial number of a board or a chassis. Manufacturers without such numbers
// repeat the system's.
func (t *normalizer) component(k int, maker, raw, serial string) {
	value, ok := t.accept(k, raw)
	switch {
	case !ok:
	case value == serial:
		t.refuse(k, raw, patternRepeated)
	default:
		t.take(k, raw, maker, value)
	}
}

func (t *normalizer) card(i inventory.InterfaceID) {
	raw := address(i)
	form, pattern := t.rules.checkMAC(fold(raw))
	if pattern == patternEmpty {
		return
	}
	if interfaceType := fold(i.Type); interfaceType != "" {
		pattern = cmp.Or(t.rules.rejectPattern("interface_type", interfaceType), pattern)
	}
	if i.Virtual {
		pattern = patternVirtual
	}
	if pattern != "" {
		t.refuse(kindMAC, raw, pattern)
		return
	}
	t.take(kindMAC, raw, "", form)
}

// disk adds a disk's serial number, scoped by its model, or else its world-wide name.
func (t *normalizer) disk(d inventory.DiskID) {
	raw := cmp.Or(plain(d.SerialNumber), plain(d.WWN))
	pattern := ""
	if bus := fold(d.Bus); bus != "" {
		pattern = t.rules.rejectPattern("disk_bus", bus)
	}
	if d.Removable {
		pattern = patternRemovable
	}
	if raw == "" {
		return
	}
	if pattern != "" {
		t.refuse(kindDisk, raw, pattern)
		return
	}
	if value, ok := t.accept(kindDisk, d.SerialNumber); ok {
		t.take(kindDisk, d.SerialNumber, t.diskScope(d), value)
		return
	}
	if value, ok := t.accept(kindDisk, d.WWN); ok {
		for _, prefix := range []string{"0x", "naa.", "eui."} {
			value = strings.TrimPrefix(value, prefix)
		}
		t.take(kindDisk, d.WWN, "wwn", value)
	}
}

// diskScope returns a disk's model. The reported manufacturer differs between systems, e.g. "ATA".
func (t *normalizer) diskScope(d inventory.DiskID) string {
	if model := strings.Join(words(d.Model), ""); model != "" && t.rules.rejectPattern("model", fold(d.Model)) == "" {
		return bound(model, maxScope)
	}
	return t.rules.scope(d.Manufacturer)
}

func (t *normalizer) installation(ids inventory.RawIdentifiers) {
	if id := hexID(fold(ids.OSInstallID)); id != "" {
		if pattern := t.rules.rejectPattern(kindNames[kindOS], id); pattern != "" {
			t.refuse(kindOS, ids.OSInstallID, pattern)
		} else {
			t.take(kindOS, ids.OSInstallID, "", id)
		}
	}
	for _, raw := range ids.Native {
		t.native(raw)
	}
	t.name(ids.Hostname)
	t.name(ids.FQDN)
}

func (t *normalizer) native(raw string) {
	scope, id, ok := strings.Cut(raw, ":")
	if !ok {
		scope, id = "", raw
	}
	if value, ok := t.accept(kindNative, id); ok {
		t.take(kindNative, raw, strings.ReplaceAll(fold(scope), "|", " "), value)
	}
}

// name adds a host name, and the one within its domain. ".local" is not a domain: RFC 6762 §3.
func (t *normalizer) name(raw string) {
	value, ok := t.accept(kindName, raw)
	if !ok {
		return
	}
	host, domain, _ := strings.Cut(strings.TrimSuffix(value, "."), ".")
	if host == "" {
		return
	}
	t.take(kindName, raw, "", host)
	if domain != "" && domain != "local" {
		t.take(kindName, raw, strings.ReplaceAll(domain, "|", " "), host)
	}
}
