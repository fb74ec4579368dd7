package management

import (
	"maps"
	"strings"
)

// settings are the values of a file of sections "[name]" and lines "key = value", by section and
// key in lower case. Lines before the first section are in the section "".
type settings map[string]map[string]string

// parse reads the common part of sssd.conf(5), smb.conf(5), puppet.conf and similar formats.
func parse(text string) settings {
	all, section := settings{}, ""
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' || line[0] == ';' {
			continue
		}
		if line[0] == '[' {
			section = strings.ToLower(strings.TrimSpace(strings.Trim(line, "[]")))
			continue
		}
		key, value, found := strings.Cut(line, "=")
		if !found {
			continue
		}
		if all[section] == nil {
			all[section] = map[string]string{}
		}
		all[section][strings.ToLower(strings.TrimSpace(key))] = strings.TrimSpace(value)
	}
	return all
}

// merge adds the values of a file that is read after this one.
func (s settings) merge(later settings) {
	for section, values := range later {
		if s[section] == nil {
			s[section] = map[string]string{}
		}
		maps.Copy(s[section], values)
	}
}

// list splits a value such as "a, b".
func list(value string) []string {
	return strings.FieldsFunc(value, func(r rune) bool { return r == ',' || r == ' ' || r == '\t' })
}

// word returns the first value of the line "key: value" or "key value" of a file without sections,
// without quotes. Lines that begin with a blank or a comment sign are skipped.
func word(text, key string) string {
	for line := range strings.Lines(text) {
		rest, found := strings.CutPrefix(line, key)
		if !found || rest == "" || !strings.ContainsRune(": \t=", rune(rest[0])) {
			continue
		}
		fields := strings.Fields(strings.TrimLeft(rest, ": \t="))
		if len(fields) > 0 && fields[0] != "[" {
			return strings.Trim(fields[0], `"'`)
		}
	}
	return ""
}

// server removes user name, password and parameters from an address.
func server(address string) string {
	address, _, _ = strings.Cut(address, "?")
	scheme, rest, found := strings.Cut(address, "://")
	if !found {
		scheme, rest = "", address
	}
	if at := strings.LastIndexByte(rest, '@'); at >= 0 {
		rest = rest[at+1:]
	}
	if scheme == "" {
		return rest
	}
	return scheme + "://" + rest
}
