package service

import (
	"strings"

	"github.com/musterhq/muster/agent/host"
)

// runlevels holds the names of the scripts that some runlevel starts.
type runlevels struct {
	names map[string]bool
}

// sysvRunlevels are the runlevels of a running machine and of its start; 0, 1 and 6 stop it.
var sysvRunlevels = []string{
	"/etc/rcS.d", "/etc/rc2.d", "/etc/rc3.d", "/etc/rc4.d", "/etc/rc5.d",
	"/etc/rc.d/rc2.d", "/etc/rc.d/rc3.d", "/etc/rc.d/rc4.d", "/etc/rc.d/rc5.d",
}

func readRunlevels(h *host.Host) runlevels {
	levels := runlevels{names: map[string]bool{}}
	for _, directory := range sysvRunlevels {
		entries, err := h.ReadDir(directory)
		if err != nil {
			continue
		}
		for _, entry := range entries {
			if name := startLink(entry.Name()); name != "" {
				levels.names[name] = true
			}
		}
	}
	openRC, err := h.ReadDir("/etc/runlevels")
	if err != nil {
		return levels
	}
	for _, level := range openRC {
		entries, err := h.ReadDir("/etc/runlevels/" + level.Name())
		if err != nil {
			continue
		}
		for _, entry := range entries {
			levels.names[entry.Name()] = true
		}
	}
	return levels
}

// startLink returns the name of the script that a link such as S20ssh starts. It returns "" for
// K20ssh, which stops a script.
func startLink(link string) string {
	if len(link) < 4 || link[0] != 'S' || strings.Trim(link[1:3], "0123456789") != "" {
		return ""
	}
	return link[3:]
}

func (l runlevels) startType(script string) string {
	if l.names[script] {
		return "enabled"
	}
	return "disabled"
}
