package operatingsystem

import (
	"strings"

	"github.com/musterhq/muster/agent/host"
	inventoryv1 "github.com/musterhq/muster/proto/muster/inventory/v1"
)

// regional sets the time zone and the locale.
func regional(h *host.Host, os *inventoryv1.OperatingSystem) error {
	if target, err := h.Readlink("/etc/localtime"); err == nil {
		os.Timezone = zoneOf(target)
	}
	if os.Timezone == "" { // the zone's file was copied; a separate file may have its name
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

// zoneOf returns the name of a time zone from the path of its file: "Europe/Rome" for
// "../usr/share/zoneinfo/Europe/Rome".
func zoneOf(target string) string {
	_, zone, found := strings.Cut(target, "zoneinfo/")
	if !found {
		return ""
	}
	zone = strings.TrimPrefix(zone, "posix/")
	return strings.TrimPrefix(zone, "right/")
}

// variable returns one variable of a settings file, or "" if the file cannot be read; another file
// may have the variable.
func variable(h *host.Host, file, name string) string {
	text, err := readText(h, file)
	if err != nil {
		return ""
	}
	return assignments(text)[name]
}
