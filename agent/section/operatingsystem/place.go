package operatingsystem

import (
	"strings"

	"github.com/musterhq/muster/agent/host"
	inventoryv1 "github.com/musterhq/muster/proto/muster/inventory/v1"
)

// place tells where the machine believes to be: its time zone and its language.
func place(h *host.Host, os *inventoryv1.OperatingSystem) error {
	if target, err := h.Readlink("/etc/localtime"); err == nil {
		os.Timezone = zoneOf(target)
	}
	if os.Timezone == "" { // the zone's file was copied: the name is in a file of its own, if anywhere
		os.Timezone = h.Attribute("/etc/timezone")
	}
	if os.Timezone == "" {
		os.Timezone = variable(h, "/etc/sysconfig/clock", "ZONE")
	}
	for _, name := range []string{"/etc/locale.conf", "/etc/default/locale", "/etc/sysconfig/i18n"} {
		setIfEmpty(&os.Locale, variable(h, name, "LANG"))
	}
	return nil
}

// zoneOf gives the name of a time zone by the place of its file, "Europe/Rome" of
// "../usr/share/zoneinfo/Europe/Rome".
func zoneOf(target string) string {
	_, zone, found := strings.Cut(target, "zoneinfo/")
	if !found {
		return ""
	}
	zone = strings.TrimPrefix(zone, "posix/")
	return strings.TrimPrefix(zone, "right/")
}

// variable reads one variable of a settings file. A file that cannot be read says nothing: another may.
func variable(h *host.Host, file, name string) string {
	text, err := readText(h, file)
	if err != nil {
		return ""
	}
	return assignments(text)[name]
}
