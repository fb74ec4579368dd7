package service

import (
	"context"
	"regexp"
	"strings"

	"github.com/musterhq/muster/agent/host"
	inventoryv1 "github.com/musterhq/muster/proto/muster/inventory/v1"
)

// servicesKey has a subkey for each service of Windows.
const servicesKey = `HKLM\SYSTEM\CurrentControlSet\Services\`

// userInstance is the type of a service that Windows makes for each logon, with another name each
// time (Microsoft, "Per-user services"). Its template is a service of its own.
const userInstance = 0x80

// scmStates are the states of the service manager (SERVICE_STATUS).
var scmStates = map[uint32]string{
	1: stopped, 2: "starting", 3: "stopping", 4: running, 5: "continuing", 6: "pausing", 7: "paused",
}

// ofWindows returns the services of Windows: names and states from its service manager, the rest
// from the registry, where the service manager keeps it.
func ofWindows(ctx context.Context, h *host.Host) ([]*inventoryv1.Service, error) {
	list, err := h.Services()
	if len(list) == 0 {
		return nil, err
	}
	directory := windowsDirectory(h)
	var services []*inventoryv1.Service
	for _, status := range list {
		if err := ctx.Err(); err != nil {
			return services, err
		}
		if status.Type&userInstance == 0 {
			services = append(services, ofSCM(h, status, directory))
		}
	}
	return services, nil
}

func ofSCM(h *host.Host, status host.ServiceStatus, directory string) *inventoryv1.Service {
	service := &inventoryv1.Service{Name: status.Name, DisplayName: status.DisplayName, State: scmStates[status.State]}
	key, err := h.RegistryKey(servicesKey + status.Name)
	if err != nil { // it was removed meanwhile, or only the system may read it
		return service
	}
	service.StartType = startTypeOf(key)
	service.ExePath = commandPath(key.Text("ImagePath"), directory)
	service.RunAs = key.Text("ObjectName")
	return service
}

func startTypeOf(key host.RegistryKey) string {
	start, ok := key.Number("Start")
	if !ok {
		return ""
	}
	switch start {
	case 0:
		return "boot"
	case 1:
		return "system"
	case 2:
		if delayed, _ := key.Number("DelayedAutostart"); delayed == 1 {
			return "automatic-delayed"
		}
		return "automatic"
	case 3:
		return "manual"
	case 4:
		return "disabled"
	default:
		return ""
	}
}

// windowsDirectory returns the folder of Windows, usually `C:\Windows`.
func windowsDirectory(h *host.Host) string {
	key, err := h.RegistryKey(`HKLM\SOFTWARE\Microsoft\Windows NT\CurrentVersion`)
	if err != nil {
		return ""
	}
	return key.Text("SystemRoot")
}

// program matches an unquoted command up to the name of its program. A path may contain blanks.
var program = regexp.MustCompile(`(?i)^.*?\.(?:exe|com|bat|cmd)(?:\s|$)`)

// commandPath returns the path of the program of a command line, without arguments, which may
// contain secrets.
func commandPath(command, directory string) string {
	command = strings.TrimSpace(strings.TrimPrefix(command, `\??\`))
	var path string
	if rest, quoted := strings.CutPrefix(command, `"`); quoted {
		path, _, _ = strings.Cut(rest, `"`)
	} else if found := program.FindString(command); found != "" {
		path = strings.TrimSpace(found)
	} else {
		path, _, _ = strings.Cut(command, " ")
	}
	if directory == "" {
		return path
	}
	for _, variable := range []string{`%SystemRoot%`, `%windir%`, `\SystemRoot`} {
		if len(path) >= len(variable) && strings.EqualFold(path[:len(variable)], variable) {
			return directory + path[len(variable):]
		}
	}
	if len(path) > 9 && strings.EqualFold(path[:9], `system32\`) { // relative to the folder of Windows
		return directory + `\` + path
	}
	return path
}
