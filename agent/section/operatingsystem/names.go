package operatingsystem

import (
	"errors"
	"strings"

	"github.com/musterhq/muster/agent/host"
	inventoryv1 "github.com/musterhq/muster/proto/muster/inventory/v1"
)

// names sets the installation's ID and the machine's names if the kernel has not set them.
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

// isMachineID reports whether the text is an ID and not, for example, "uninitialized"
// (machine-id(5)).
func isMachineID(text string) bool {
	return len(text) == 32 && strings.Trim(text, "0123456789abcdef") == "" && strings.Trim(text, "0") != ""
}

// hostnameOf reads hostname(5), which may contain comment lines.
func hostnameOf(text string) string {
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); line != "" && line[0] != '#' {
			return line
		}
	}
	return ""
}

// qualified returns the host's name with its domain from hosts(5). It takes the official name,
// which is the first, of the first line that contains the host's name.
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

// domainOf returns the official name if it is the host's name with a domain, else "".
func domainOf(official, hostname string) string {
	if len(official) > len(hostname)+1 && official[len(hostname)] == '.' &&
		strings.EqualFold(official[:len(hostname)], hostname) && official != "localhost.localdomain" {
		return official
	}
	return ""
}
