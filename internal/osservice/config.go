package osservice

import (
	"strings"

	"github.com/kardianos/service"
)

// config returns the library's form of the definition. The definitions for service managers are
// templates of the library, which inserts the path of the program.
func (d Definition) config(program string) *service.Config {
	return &service.Config{
		Name: d.Name, DisplayName: d.DisplayName, Description: d.Description,
		Executable: program, Arguments: d.Arguments,
		Option: service.KeyValue{
			"SystemdScript": strings.ReplaceAll(d.Unit, d.Program, "{{Path | cmdEscape}}"),
			"OpenRCScript":  strings.ReplaceAll(d.OpenRC, d.Program, "{{Path | cmdEscape}}"),
			"LaunchdConfig": strings.ReplaceAll(d.Launchd, d.LaunchdProgram, "{{Path | html}}"),
		},
	}
}
