package service

import "slices"

// startType returns what starts a unit, in the terms and by the rules of "systemctl is-enabled"
// (systemctl(1)).
func (u *units) startType(name string, file unitFile, definition *unit) string {
	switch enabled, linked := u.enabled(name, file, definition, true); {
	case enabled != "":
		return enabled
	case linked != "":
		return linked
	}
	other, _ := u.enabled(name, file, definition, false)
	switch {
	case other != "": // in use under a name that "enable" would not link
		return "indirect"
	case definition.wanted:
		return "disabled"
	case definition.also:
		return "indirect"
	default:
		return "static"
	}
}

// enabled examines the links to a unit: all of them, or only those that "enable" would make. linked
// is set for a unit file outside the unit directories that is known only by a link in one of them.
func (u *units) enabled(name string, file unitFile, definition *unit, ownNames bool) (enabled, linked string) {
	runtimeOnly, vendorOnly := false, false
	for _, l := range u.links[name] {
		if l.target != name && l.dir > file.dir { // a link in a later directory, where the unit's own file hides it
			continue
		}
		if !l.wants && l.name == name && l.target == name {
			linked = linkedAs(unitDirs[l.dir].origin, linked)
			continue
		}
		if ownNames && !definition.knows(name, l.name) {
			continue
		}
		switch unitDirs[l.dir].origin {
		case persistent:
			return "enabled", ""
		case runtime:
			runtimeOnly = true
		case vendor:
			vendorOnly = true
		}
	}
	switch {
	case runtimeOnly:
		return "enabled-runtime", ""
	case vendorOnly && instanceOf(name) != "":
		return "static", ""
	default:
		return "", linked
	}
}

func linkedAs(where origin, before string) string {
	switch {
	case where == persistent:
		return "linked"
	case where == runtime && before == "":
		return "linked-runtime"
	default:
		return before
	}
}

// knows reports whether "enable" would make a link of that name for the unit.
func (u *unit) knows(name, link string) bool {
	if link == name || isTemplate(name) && u.defaultInstance != "" &&
		link == instance(name, u.defaultInstance) {
		return true
	}
	return slices.Contains(u.aliases, link)
}

// instance returns the name of an instance of a template.
func instance(template, of string) string {
	return template[:len(template)-len(".service")] + of + ".service"
}
