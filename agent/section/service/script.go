package service

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"github.com/musterhq/muster/agent/host"
	inventoryv1 "github.com/musterhq/muster/proto/muster/inventory/v1"
)

const initDir = "/etc/init.d/"

// maxScript bounds the part of a script that is read, in bytes. The header is at the top.
const maxScript = 64 << 10

// scripts returns the scripts of SysV init and OpenRC that no systemd unit replaces.
func scripts(h *host.Host, u *units) ([]*inventoryv1.Service, error) {
	entries, err := h.ReadDir(initDir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("list scripts: %w", err)
	}
	var levels runlevels
	var services []*inventoryv1.Service
	for _, entry := range entries {
		if !entry.Type().IsRegular() || !executableFile(entry) || u.covers(entry.Name()) {
			continue
		}
		if levels.names == nil {
			levels = readRunlevels(h)
		}
		if service := script(h, entry.Name(), levels); service != nil {
			services = append(services, service)
		}
	}
	return services, nil
}

func executableFile(entry fs.DirEntry) bool {
	info, err := entry.Info()
	return err == nil && info.Mode()&0o111 != 0
}

// covers reports whether a systemd unit, possibly masked, replaces a script. The unit's name has no
// ".sh" (systemd-sysv-generator(8)).
func (u *units) covers(script string) bool {
	_, found := u.files[strings.TrimSuffix(script, ".sh")+".service"]
	return found
}

// script describes a script that has an LSB header or is an OpenRC script. Other scripts, such as
// rc and files of functions, are not services. An unreadable script has only its name.
func script(h *host.Host, name string, levels runlevels) *inventoryv1.Service {
	buf := make([]byte, maxScript)
	data, err := h.ReadInto(initDir+name, buf)
	service := &inventoryv1.Service{Name: name, StartType: levels.startType(name)}
	if err != nil && len(data) == 0 {
		return service
	}
	text := string(data)
	first, _, _ := strings.Cut(text, "\n")
	switch {
	case strings.Contains(first, "openrc-run") || strings.Contains(first, "runscript"):
		openRC(text, service)
		if _, err := h.Stat("/run/openrc/started/" + name); err == nil {
			service.State = "started"
		}
	case strings.Contains(text, "### BEGIN INIT INFO"):
		service.DisplayName = lsbHeader(text, "Short-Description:")
		service.ExePath = initDir + name
	default:
		return nil
	}
	return service
}

// lsbHeader returns the value of a line of a script's LSB header (LSB 5.0 core, "Comment
// Conventions for Init Scripts").
func lsbHeader(text, key string) string {
	_, text, _ = strings.Cut(text, "### BEGIN INIT INFO")
	text, _, _ = strings.Cut(text, "### END INIT INFO")
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(strings.TrimLeft(line, "#"))
		if value, found := strings.CutPrefix(line, key); found {
			return strings.TrimSpace(value)
		}
	}
	return ""
}

// openRC reads the variables of a script that have a literal value (openrc-run(8)).
func openRC(text string, service *inventoryv1.Service) {
	for line := range strings.Lines(text) {
		name, value, found := strings.Cut(strings.TrimRight(line, "\n"), "=")
		value = strings.Trim(value, `"'`)
		if !found || strings.ContainsAny(value, "$`") {
			continue
		}
		switch name {
		case "description":
			service.DisplayName = value
		case "name":
			if service.DisplayName == "" {
				service.DisplayName = value
			}
		case "command":
			service.ExePath = value
		case "command_user":
			service.RunAs, _, _ = strings.Cut(value, ":")
		}
	}
}
