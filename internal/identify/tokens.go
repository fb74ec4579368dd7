package identify

import (
	"cmp"
	"slices"
	"strings"

	"github.com/musterhq/muster/internal/inventory"
)

const (
	maxToken = 255 // bytes: tokens are indexed
	maxScope = 64  // bytes of them
)

// Why an identifier is rejected that no pattern names.
const (
	patternContainer = "container" // it is the host's
	patternVirtual   = "virtual"
	patternRemovable = "removable"
	patternRepeated  = "repeats-serial" // it is the system's serial number once more, and counts once
	patternTooLong   = "too-long"
)

// Tokens gives the identifiers in their one form, sorted, and says what was rejected and by which pattern, sorted too.
// A pattern is the id of a reject of the rules, or one of: empty, malformed, too-long, virtual, removable,
// repeats-serial, container.
func (r *Rules) Tokens(ids inventory.Identifiers) ([]inventory.Token, []inventory.Rejection) {
	t := tokenizer{rules: r, contained: ids.Container != ""}
	t.system(ids)
	for _, i := range ids.Interfaces {
		t.card(i)
	}
	for _, d := range ids.Disks {
		t.disk(d)
	}
	t.installation(ids)
	slices.Sort(t.tokens)
	slices.SortFunc(t.rejected, compareRejections)
	return slices.Compact(t.tokens), slices.Compact(t.rejected)
}

func compareRejections(a, b inventory.Rejection) int {
	return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Value, b.Value), cmp.Compare(a.Pattern, b.Pattern), cmp.Compare(a.Host, b.Host))
}

// Searchable tells whether records are looked up by a token: many machines have one name.
func Searchable(t inventory.Token) bool {
	k := kindOf(t)
	return k >= 0 && k != kindName
}

// kindOf gives the kind of a token, -1 for none.
func kindOf(t inventory.Token) int {
	name, _, ok := strings.Cut(string(t), ":")
	if !ok {
		return -1
	}
	return slices.Index(kindNames[:], name)
}

// tokenizer gathers the tokens of one thing.
type tokenizer struct {
	rules     *Rules
	contained bool // in a container: its hardware is its host's
	tokens    []inventory.Token
	rejected  []inventory.Rejection
}

// hardware are the kinds that tell machines apart, and that a container has none of.
func hardware(k int) bool { return k != kindOS && k != kindNative && k != kindName }

func (t *tokenizer) take(k int, raw, scope, value string) {
	token := inventory.Token(kindNames[k] + ":" + scope + "|" + value)
	switch {
	case len(token) > maxToken:
		t.refuse(k, raw, patternTooLong)
	case t.contained && hardware(k):
		t.rejected = append(t.rejected, inventory.Rejection{Kind: kindNames[k], Value: plain(raw), Pattern: patternContainer, Host: token})
	default:
		t.tokens = append(t.tokens, token)
	}
}

func (t *tokenizer) refuse(k int, raw, pattern string) {
	t.rejected = append(t.rejected, inventory.Rejection{Kind: kindNames[k], Value: plain(raw), Pattern: pattern})
}

// plain is a value as it was said, fit to be kept.
func plain(raw string) string {
	return bound(strings.Join(strings.FieldsFunc(strings.ToValidUTF8(raw, ""), isBlank), " "), maxToken)
}

// bound cuts a string to n bytes at most, between characters.
func bound(s string, n int) string {
	if len(s) <= n {
		return s
	}
	return strings.ToValidUTF8(s[:n], "")
}

// judged gives a value folded if it is honest. What is not, is refused, unless it is empty: unknown is no identifier.
func (t *tokenizer) judged(k int, raw string) (string, bool) {
	folded := fold(raw)
	pattern := t.rules.judge(kindNames[k], folded)
	if pattern != "" && pattern != patternEmpty {
		t.refuse(k, raw, pattern)
	}
	return folded, pattern == ""
}

func (t *tokenizer) system(ids inventory.Identifiers) {
	maker := t.rules.scope(ids.Manufacturer)
	system := t.uuid(ids.UUID, ids.UUID)
	serial, ok := t.serial(maker, ids.SerialNumber, system)
	chassisMaker := t.rules.scope(ids.ChassisManufacturer)
	if !ok && maker != "" && maker == chassisMaker && t.rules.serialOnChassis(maker) {
		serial, _ = t.serial(maker, ids.ChassisSerial, system)
	}
	if value, ok := t.judged(kindTPM, ids.TPM); ok {
		t.take(kindTPM, ids.TPM, "", value)
	}
	t.part(kindBoard, t.rules.scope(ids.BoardManufacturer), ids.BoardSerial, serial)
	t.part(kindChassis, chassisMaker, ids.ChassisSerial, serial)
}

// uuid takes a UUID and gives its one form; raw is what was said.
func (t *tokenizer) uuid(value, raw string) string {
	form, pattern := t.rules.judgeUUID(fold(value))
	switch pattern {
	case "":
		t.take(kindUUID, raw, "", form)
	case patternEmpty:
	default:
		t.refuse(kindUUID, raw, pattern)
	}
	return form
}

// serial takes a serial number, which says nothing new where it is the system's UUID. It reports whether there is one.
func (t *tokenizer) serial(maker, raw, system string) (string, bool) {
	value, ok := t.judged(kindSerial, raw)
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
	if !t.contained || maker == "" { // a container's is rejected once
		t.take(kindSerialUnscoped, raw, "", value)
	}
	return value, true
}

// part takes the serial number of a board or a chassis. Makers who have no numbers of their own for these repeat the
// system's.
func (t *tokenizer) part(k int, maker, raw, serial string) {
	value, ok := t.judged(k, raw)
	switch {
	case !ok:
	case value == serial:
		t.refuse(k, raw, patternRepeated)
	default:
		t.take(k, raw, maker, value)
	}
}

func (t *tokenizer) card(i inventory.InterfaceID) {
	raw := address(i)
	form, pattern := t.rules.judgeMAC(fold(raw))
	if pattern == patternEmpty {
		return
	}
	if kind := fold(i.Type); kind != "" {
		pattern = cmp.Or(t.rules.judge("interface_type", kind), pattern)
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

// disk takes a disk's serial number, which is its model's, or else its world-wide name.
func (t *tokenizer) disk(d inventory.DiskID) {
	raw := cmp.Or(plain(d.SerialNumber), plain(d.WWN))
	pattern := ""
	if bus := fold(d.Bus); bus != "" {
		pattern = t.rules.judge("disk_bus", bus)
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
	if value, ok := t.judged(kindDisk, d.SerialNumber); ok {
		t.take(kindDisk, d.SerialNumber, t.diskScope(d), value)
		return
	}
	if value, ok := t.judged(kindDisk, d.WWN); ok {
		t.take(kindDisk, d.WWN, "wwn", strings.TrimPrefix(strings.TrimPrefix(strings.TrimPrefix(value, "0x"), "naa."), "eui."))
	}
}

// diskScope is a disk's model: what stands for its manufacturer differs between systems, e.g. "ATA".
func (t *tokenizer) diskScope(d inventory.DiskID) string {
	if model := strings.Join(words(d.Model), ""); model != "" && t.rules.judge("model", fold(d.Model)) == "" {
		return bound(model, maxScope)
	}
	return t.rules.scope(d.Manufacturer)
}

func (t *tokenizer) installation(ids inventory.Identifiers) {
	if id := hexID(fold(ids.OSInstallID)); id != "" {
		if pattern := t.rules.judge(kindNames[kindOS], id); pattern != "" {
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

func (t *tokenizer) native(raw string) {
	scope, id, ok := strings.Cut(raw, ":")
	if !ok {
		scope, id = "", raw
	}
	if value, ok := t.judged(kindNative, id); ok {
		t.take(kindNative, raw, strings.ReplaceAll(fold(scope), "|", " "), value)
	}
}

// name takes a host's name, and that within its domain. What is behind ".local" is no domain: RFC 6762 §3.
func (t *tokenizer) name(raw string) {
	value, ok := t.judged(kindName, raw)
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
