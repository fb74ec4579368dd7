package firmware

import (
	"encoding/binary"
	"fmt"
	"strings"

	"github.com/musterhq/muster/agent/host"
	inventoryv1 "github.com/musterhq/muster/proto/muster/inventory/v1"
)

// readWindowsTPM describes the TPM that Windows uses. Its own answers have more than Windows has,
// but only of version 2.0.
func readWindowsTPM(h *host.Host, item *inventoryv1.Firmware) {
	item.TpmVersion, _ = h.TPMVersion()
	if item.TpmVersion != "2.0" {
		return
	}
	if answer, err := h.TPMProperties(); err == nil {
		item.TpmManufacturer, item.TpmFirmware = parseTPM(answer)
	}
}

// Properties of a TPM (TCG, TPM 2.0 Library part 2 §6.13).
const (
	tpmManufacturer = 0x105
	tpmFirmware1    = 0x10b
	tpmFirmware2    = 0x10c
)

// parseTPM reads the answer to TPM2_GetCapability (TCG, TPM 2.0 Library part 3 §30.2). It returns
// the name that the manufacturer registered, and the version as Windows writes it.
func parseTPM(answer []byte) (manufacturer, firmware string) {
	const header, property = 19, 8 // bytes; the header ends with the number of properties
	const capability = 6           // TPM_CAP_TPM_PROPERTIES
	if len(answer) < header || binary.BigEndian.Uint32(answer[6:]) != 0 ||
		binary.BigEndian.Uint32(answer[11:]) != capability {
		return "", ""
	}
	var version []byte
	count := binary.BigEndian.Uint32(answer[15:])
	for list := answer[header:]; count > 0 && len(list) >= property; count-- {
		switch value := list[4:property]; binary.BigEndian.Uint32(list) {
		case tpmManufacturer:
			manufacturer = strings.ToValidUTF8(strings.TrimRight(string(value), "\x00 "), "")
		case tpmFirmware1, tpmFirmware2:
			version = append(version, value...)
		}
		list = list[property:]
	}
	if len(version) == 8 {
		number := func(at int) uint16 { return binary.BigEndian.Uint16(version[at:]) }
		firmware = fmt.Sprintf("%d.%d.%d.%d", number(0), number(2), number(4), number(6))
	}
	return manufacturer, firmware
}
