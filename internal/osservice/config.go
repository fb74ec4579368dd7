package osservice

import (
	"strings"

	"github.com/kardianos/service"
)

// config returns the library's form of the definition.
func (d Definition) config(program string) *service.Config {
	return &service.Config{
		Name: d.Name, DisplayName: d.DisplayName, Description: d.Description,
		Executable: program, Arguments: d.Arguments,
		Option: service.KeyValue{
			"SystemdScript": d.template(d.Unit),
			"OpenRCScript":  d.template(d.OpenRC),
			// launchd
			"RunAtLoad": true,
			"KeepAlive": true,
			// Windows
			"OnFailure":              "restart",
			"OnFailureDelayDuration": "1m",
			"OnFailureResetPeriod":   24 * 60 * 60, // seconds
		},
	}
}

// template returns a service definition as a template of the library, which inserts the path of the
// program.
func (d Definition) template(text string) string {
	return strings.ReplaceAll(text, d.Program, "{{Path | cmdEscape}}")
}
