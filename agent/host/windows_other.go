//go:build !windows

package host

import "fmt"

// onlyWindows is the error of what only Windows answers without files.
func onlyWindows(what string) error { return fmt.Errorf("%s outside files: %w", what, ErrUnsupported) }

func devices(string) ([]Device, error)       { return nil, onlyWindows("devices") }
func batteries() ([]Battery, error)          { return nil, onlyWindows("batteries") }
func localGroups() ([]LocalGroup, error)     { return nil, onlyWindows("groups") }
func logonSessions() ([]LogonSession, error) { return nil, onlyWindows("sessions") }
func domain() (Domain, error)                { return Domain{}, onlyWindows("domain") }
func entraJoin() (EntraJoin, error)          { return EntraJoin{}, onlyWindows("Entra ID tenant") }
func tpmProperties() ([]byte, error)         { return nil, onlyWindows("TPM") }
func codeIntegrity() (uint32, error)         { return 0, onlyWindows("code integrity") }

func readFirmwareVariable(string, string) ([]byte, error) {
	return nil, onlyWindows("firmware variables")
}
