package operatingsystem

import (
	"strings"

	inventoryv1 "github.com/musterhq/muster/proto/muster/inventory/v1"
)

// older is a file that identified a distribution before os-release(5) existed.
type older struct {
	name string
	read func(text string, os *inventoryv1.OperatingSystem)
}

// olderFiles lists the most specific files first, because a derivative keeps its parent's files.
var olderFiles = []older{
	{"/etc/lsb-release", lsbRelease},
	{"/etc/centos-release", redHatRelease},
	{"/etc/oracle-release", redHatRelease},
	{"/etc/fedora-release", redHatRelease},
	{"/etc/redhat-release", redHatRelease},
	{"/etc/SuSE-release", suseRelease},
	{"/etc/debian_version", debianVersion},
	{"/etc/alpine-release", alpineRelease},
}

func lsbRelease(text string, os *inventoryv1.OperatingSystem) {
	vars := assignments(text)
	if os.Name != "" && os.Version != vars["DISTRIB_RELEASE"] { // a leftover, or of the parent distribution
		return
	}
	if vars["DISTRIB_ID"] != "" && os.Name == "" {
		os.Name = vars["DISTRIB_ID"]
		os.Id = strings.ToLower(strings.ReplaceAll(os.Name, " ", ""))
		os.Version = vars["DISTRIB_RELEASE"]
		os.DisplayName = vars["DISTRIB_DESCRIPTION"]
	}
	setIfEmpty(&os.Codename, vars["DISTRIB_CODENAME"])
}

// redHatIDs are the os-release IDs of distributions whose older releases have no os-release file.
var redHatIDs = []struct{ prefix, id string }{
	{"CentOS", "centos"}, {"Red Hat", "rhel"}, {"Fedora", "fedora"}, {"Oracle", "ol"}, {"Enterprise Linux", "ol"},
	{"Scientific", "scientific"}, {"XenServer", "xenserver"},
}

// redHatRelease reads "CentOS Linux release 7.8.2003 (Core)".
func redHatRelease(text string, os *inventoryv1.OperatingSystem) {
	line := firstLine(text)
	name, rest, found := strings.Cut(line, " release ")
	if !found {
		return
	}
	version, _, _ := strings.Cut(rest, " ")
	if os.Name == "" {
		os.Name, os.Version, os.DisplayName = name, version, line
		os.Codename = parenthesized(rest, "")
		for _, known := range redHatIDs {
			if strings.HasPrefix(name, known.prefix) {
				os.Id = known.id
				break
			}
		}
	}
	if strings.HasPrefix(name, os.Name) {
		refine(os, version)
	}
}

// suseRelease reads a line with the name and two with the version, as SUSE wrote them before
// version 12.
func suseRelease(text string, os *inventoryv1.OperatingSystem) {
	if os.Name != "" {
		return
	}
	os.DisplayName = firstLine(text)
	os.Name, _, _ = strings.Cut(os.DisplayName, " (")
	for line := range strings.Lines(text) {
		key, value, _ := strings.Cut(line, "=")
		value = strings.TrimSpace(value)
		switch strings.TrimSpace(key) {
		case "VERSION":
			os.Version = value
		case "PATCHLEVEL":
			if value != "0" && os.Version != "" {
				os.Version += "." + value
			}
		case "CODENAME":
			os.Codename = value
		}
	}
}

// debianVersion reads the point release, which os-release leaves out. Derivatives keep the file of
// the Debian release they are based on, often with a code name in it; the file does not describe
// them.
func debianVersion(text string, os *inventoryv1.OperatingSystem) {
	version := firstLine(text)
	if version == "" || version[0] < '0' || version[0] > '9' {
		return
	}
	if os.Name == "" {
		os.Name, os.Id, os.Version = "Debian GNU/Linux", "debian", version
	}
	if os.Id == "debian" {
		refine(os, version)
	}
}

func alpineRelease(text string, os *inventoryv1.OperatingSystem) {
	if os.Name == "" {
		os.Name, os.Id, os.Version = "Alpine Linux", "alpine", firstLine(text)
	}
}

// refine replaces the version by a more specific one: 12.11 replaces 12, but not 1.
func refine(os *inventoryv1.OperatingSystem, version string) {
	if strings.HasPrefix(version, os.Version+".") {
		os.Version = version
	}
}

func firstLine(text string) string {
	line, _, _ := strings.Cut(text, "\n")
	return strings.TrimSpace(line)
}
