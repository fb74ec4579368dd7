package service

import "slices"

// startType tells what would start a unit, in the words and by the rules of "systemctl is-enabled" (systemctl(1)).
func (u *units) startType(name string, file unitFile, definition *unit) string {
	switch enabled, linked := u.enabled(name, file, definition, true); {
	case enabled != "":
		return enabled
	case linked != "":
		return linked
	}
	other, _ := u.enabled(name, file, definition, false)
	switch {
	case other != "": // it is in use under a name that "enable" would not give it
		return "indirect"
	case definition.wanted:
		return "disabled"
	case definition.also:
		return "indirect"
	default:
		return "static"
	}
}

// enabled looks for links to a unit: all of them, or only those that "enable" would make. linked is for a unit file
// that lies elsewhere and is known by a link in a unit directory alone.
func (u *units) enabled(name string, file unitFile, definition *unit, ownNames bool) (enabled, linked string) {
	runtimeOnly, vendorOnly := false, false
	for _, l := range u.links[name] {
		if l.target != name && l.dir > file.dir { // a name in a lower directory, where the unit's own file hides it
			continue
		}
		if !l.wants && l.name == name && l.target == name {
			linked = linkedAs(unitDirs[l.dir].place, linked)
			continue
		}
		if ownNames && !definition.knows(name, l.name) {
			continue
		}
		switch unitDirs[l.dir].place {
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

func linkedAs(where place, before string) string {
	switch {
	case where == persistent:
		return "linked"
	case where == runtime && before == "":
		return "linked-runtime"
	default:
		return before
	}
}

// knows reports whether a link's name is one that "enable" would give to the unit.
func (u *unit) knows(name, link string) bool {
	if link == name || isTemplate(name) && u.defaultInstance != "" &&
		link == instance(name, u.defaultInstance) {
		return true
	}
	return slices.Contains(u.aliases, link)
}

// instance names an instance of a template.
func instance(template, of string) string {
	return template[:len(template)-len(".service")] + of + ".service"
}
