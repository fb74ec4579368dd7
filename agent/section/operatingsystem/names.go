package operatingsystem

import (
	"errors"
	"strings"

	"github.com/musterhq/muster/agent/host"
	inventoryv1 "github.com/musterhq/muster/proto/muster/inventory/v1"
)

// names tells how the installation and the machine are called, where the kernel has not said it.
func names(h *host.Host, os *inventoryv1.OperatingSystem) error {
	for _, name := range []string{"/etc/machine-id", "/var/lib/dbus/machine-id"} {
		if id := h.Attribute(name); isMachineID(id) {
			os.InstallId = id
			break
		}
	}
	var errs []error
	text, err := readText(h, "/etc/hostname")
	if err == nil {
		setIfEmpty(&os.Hostname, hostnameOf(text))
	} else if !absent(err) {
		errs = append(errs, err)
	}
	text, err = readText(h, "/etc/hosts")
	if err == nil {
		os.Fqdn = qualified(text, os.Hostname)
	} else if !absent(err) {
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

// isMachineID says whether the text is an id rather than "uninitialized" or nothing (machine-id(5)).
func isMachineID(text string) bool {
	return len(text) == 32 && strings.Trim(text, "0123456789abcdef") == "" && strings.Trim(text, "0") != ""
}

// hostnameOf reads hostname(5), in which lines may be comments.
func hostnameOf(text string) string {
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); line != "" && line[0] != '#' {
			return line
		}
	}
	return ""
}

// qualified gives the host's name with its domain, as far as hosts(5) knows it: the official name, which is the
// first, of the first line that has the host's name in it.
func qualified(hosts, hostname string) string {
	if hostname == "" {
		return ""
	}
	if strings.Contains(strings.Trim(hostname, "."), ".") {
		return hostname
	}
	for line := range strings.Lines(hosts) {
		line, _, _ = strings.Cut(line, "#")
		fields := strings.Fields(line)
		for i := 1; i < len(fields); i++ {
			if strings.EqualFold(fields[i], hostname) {
				return domainOf(fields[1], hostname)
			}
		}
	}
	return ""
}

// domainOf gives the official name if it is the host's name with a domain behind it.
func domainOf(official, hostname string) string {
	if len(official) > len(hostname)+1 && official[len(hostname)] == '.' &&
		strings.EqualFold(official[:len(hostname)], hostname) && official != "localhost.localdomain" {
		return official
	}
	return ""
}
